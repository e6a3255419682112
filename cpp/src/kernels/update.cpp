// One fused pass of clipping, penalties and the optimizer over a segment of the parameters, and the
// norm that clipping needs first. docs/conventions.md, "One update", has the order of its steps.
//
// Contract: what is not finite stays visible. Every bound below is written so that a NaN passes
// through it.
#include <algorithm>

#include "kernels.hpp"
#include "lanes.hpp"
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace likely::kernels_detail {
namespace {

/// What an update does to a parameter beyond the optimizer's rule; resolved outside of the loop.
enum class Penalty { none, shrinking, sparse };

/// x held inside [-bound, bound]. A comparison with NaN is false, and then x is taken.
template <class V>
V within(V bound, V x) {
    return max(-bound, min(bound, x));
}

/// What a step does to as many parameters as there are lanes.
template <Penalty penalty, class T, class Rule>
class Step {
    using V = Lanes<T>;

  public:
    Step(const Rule& rule, const Update& update)
        : rule_(rule),
          scale_(update.gradient_scale),
          clip_(update.clip_value),
          l1_(update.l1),
          l2_(update.l2),
          decay_(update.learning_rate * update.weight_decay) {}

    /// Returns a number that is 0 where the new value is finite; elsewhere the old one is kept.
    template <std::size_t Slots>
    V operator()(V& parameter, V gradient, std::array<V, Slots>& slot) const {
        V value = parameter;
        gradient = within(clip_, scale_ * gradient);
        if constexpr (penalty != Penalty::none) {
            gradient = gradient + l2_ * value;
            value = value - decay_ * value;
        }
        [[maybe_unused]] const V metric = rule_(value, gradient, slot);
        if constexpr (penalty == Penalty::sparse) value = value - within(l1_ * metric, value);
        const V residue = value - value;
        parameter = select(residue == V(0), value, parameter);
        return residue;
    }

  private:
    Rule rule_;
    V scale_, clip_, l1_, l2_, decay_;
};

/// While it lives, numbers below the smallest normal one count as 0. Where a gradient has died (of
/// a unit that is never above 0, say), slots decay to them and stay: 0.9 times the smallest is
/// rounded to itself. Arithmetic on them takes several times as long.
class SmallAsZero {
  public:
#if defined(__x86_64__)
    SmallAsZero() { _mm_setcsr(before_ | flush_to_zero | denormals_are_zero); }
    ~SmallAsZero() { _mm_setcsr(before_); }
    SmallAsZero(const SmallAsZero&) = delete;

  private:
    static constexpr unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
    unsigned before_ = _mm_getcsr();
#endif
};

/// A few parameters are updated one by one: the next step would have to wait for a register that
/// was stored in part.
constexpr std::int64_t few = 4;

/// `step` comes by value: what no store can reach stays in registers.
template <std::size_t Slots, class T, class Step>
bool update_segment(Step step, std::int64_t count, std::int64_t stride, const T* gradient,
                    T* parameters, T* slots) {
    using V = Lanes<T>;
    const auto slot_at = [&](std::size_t s, std::int64_t i) {
        return slots + static_cast<std::int64_t>(s) * stride + i;
    };
    [[maybe_unused]] std::conditional_t<(Slots > 0), SmallAsZero, int> guard;
    std::array<V, Slots> slot;
    V residue(0);
    std::int64_t i = 0;
    for (; i + V::size <= count; i += V::size) {
        V parameter = V::load(parameters + i);
        for (std::size_t s = 0; s < Slots; ++s) slot[s] = V::load(slot_at(s, i));
        residue = residue + step(parameter, V::load(gradient + i), slot);
        for (std::size_t s = 0; s < Slots; ++s) slot[s].store(slot_at(s, i));
        parameter.store(parameters + i);
    }
    if (const std::int64_t rest = count - i; rest > few) {
        V parameter = V::load_partial(parameters + i, rest, T(0));
        for (std::size_t s = 0; s < Slots; ++s)
            slot[s] = V::load_partial(slot_at(s, i), rest, T(0));
        V there = step(parameter, V::load_partial(gradient + i, rest, T(0)), slot);
        for (std::int64_t lane = rest; lane < V::size; ++lane) there.v[lane] = 0;
        residue = residue + there;
        for (std::size_t s = 0; s < Slots; ++s) slot[s].store_partial(slot_at(s, i), rest);
        parameter.store_partial(parameters + i, rest);
        i = count;
    }
    double total = i > 0 ? residue.sum() : 0;
    for (; i < count; ++i) {
        V parameter(parameters[i]);
        for (std::size_t s = 0; s < Slots; ++s) slot[s] = V(*slot_at(s, i));
        total += static_cast<double>(step(parameter, V(gradient[i]), slot).v[0]);
        for (std::size_t s = 0; s < Slots; ++s) *slot_at(s, i) = slot[s].v[0];
        parameters[i] = parameter.v[0];
    }
    return total == 0;
}

template <Penalty penalty, class T, class Chosen>
bool update_with(const Chosen& optimizer, const Update& update, std::int64_t count,
                 std::int64_t stride, const T* gradient, T* parameters, T* slots) {
    const auto rule = optimizer.template at_step<Lanes<T>>(update.step, update.learning_rate);
    const Step<penalty, T, decltype(rule)> step(rule, update);
    constexpr auto counts = Chosen::slot_counts;
    return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
        return ((optimizer.slots() == counts[Index] &&
                 update_segment<counts[Index]>(step, count, stride, gradient, parameters, slots)) ||
                ...);
    }(std::make_index_sequence<counts.size()>{});
}

}  // namespace

template <class T>
bool update(const Optimizer& optimizer, const Update& update, std::int64_t count,
            std::int64_t stride, const T* gradient, T* parameters, T* slots) {
    return std::visit(
        [&](const auto& chosen) {
            const auto with = [&]<Penalty penalty>() {
                return update_with<penalty>(chosen, update, count, stride, gradient, parameters,
                                            slots);
            };
            if (update.l1 > 0) return with.template operator()<Penalty::sparse>();
            if (update.l2 > 0 || update.weight_decay > 0)
                return with.template operator()<Penalty::shrinking>();
            return with.template operator()<Penalty::none>();
        },
        optimizer);
}

/// Within a block in T, in a few independent chains of additions; the blocks in order in double.
template <class T>
double squared_norm(std::int64_t count, const T* gradient) {
    using V = Lanes<T>;
    constexpr std::int64_t chains = 4, block = 256 * V::size;
    double total = 0;
    for (std::int64_t begin = 0; begin < count; begin += block) {
        const std::int64_t end = std::min(begin + block, count);
        std::array<V, chains> sums;
        sums.fill(V(0));
        std::int64_t i = begin;
        for (; i + chains * V::size <= end; i += chains * V::size) {
            for (std::int64_t c = 0; c < chains; ++c) {
                const V value = V::load(gradient + i + c * V::size);
                sums[static_cast<std::size_t>(c)] =
                    sums[static_cast<std::size_t>(c)] + value * value;
            }
        }
        for (; i + few < end; i += V::size) {
            const V value = V::load_partial(gradient + i, std::min(V::size, end - i), T(0));
            sums[0] = sums[0] + value * value;
        }
        if (i > begin) total += ((sums[0] + sums[1]) + (sums[2] + sums[3])).sum();
        T rest = 0;
        for (; i < end; ++i) rest += gradient[i] * gradient[i];
        total += static_cast<double>(rest);
    }
    // NaN is not above, and stays.
    const bool above = total > static_cast<double>(std::numeric_limits<T>::max());
    return above ? std::numeric_limits<double>::infinity() : total;
}

template <class T>
void fill_update(Kernels<T>& table) {
    table.update = update<T>;
    table.squared_norm = squared_norm<T>;
}

template void fill_update(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
