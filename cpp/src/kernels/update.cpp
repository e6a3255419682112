// One fused pass of the optimizer over all parameters.
#include "kernels.hpp"
#include "lanes.hpp"

namespace likely::kernels_detail {
namespace {

template <std::size_t Slots, class T, class Rule>
void update_all(const Rule& rule, std::int64_t count, const T* gradient, T* parameters, T* slots) {
    using V = Lanes<T>;
    std::array<V, Slots> slot;
    std::int64_t i = 0;
    for (; i + V::size <= count; i += V::size) {
        V parameter = V::load(parameters + i);
        for (std::size_t s = 0; s < Slots; ++s)
            slot[s] = V::load(slots + static_cast<std::int64_t>(s) * count + i);
        rule(parameter, V::load(gradient + i), slot);
        for (std::size_t s = 0; s < Slots; ++s)
            slot[s].store(slots + static_cast<std::int64_t>(s) * count + i);
        parameter.store(parameters + i);
    }
    const std::int64_t rest = count - i;
    if (rest == 0) return;
    V parameter = V::load_partial(parameters + i, rest, T(0));
    for (std::size_t s = 0; s < Slots; ++s) {
        slot[s] = V::load_partial(slots + static_cast<std::int64_t>(s) * count + i, rest, T(0));
    }
    rule(parameter, V::load_partial(gradient + i, rest, T(0)), slot);
    for (std::size_t s = 0; s < Slots; ++s) {
        slot[s].store_partial(slots + static_cast<std::int64_t>(s) * count + i, rest);
    }
    parameter.store_partial(parameters + i, rest);
}

}  // namespace

template <class T>
void update(const Optimizer& optimizer, std::int64_t step, std::int64_t count, const T* gradient,
            T* parameters, T* slots) {
    std::visit(
        [&](const auto& chosen) {
            const auto rule = chosen.template at_step<Lanes<T>>(step);
            constexpr auto counts = std::decay_t<decltype(chosen)>::slot_counts;
            [&]<std::size_t... Index>(std::index_sequence<Index...>) {
                ((chosen.slots() == counts[Index]
                      ? update_all<counts[Index]>(rule, count, gradient, parameters, slots)
                      : void()),
                 ...);
            }(std::make_index_sequence<counts.size()>{});
        },
        optimizer);
}

template <class T>
void fill_update(Kernels<T>& table) {
    table.update = update<T>;
}

template void fill_update(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
