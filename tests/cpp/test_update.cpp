// One update of a segment of the parameters, by hand: every term of it by itself, then the point at
// which training with an l1 penalty comes to rest.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "kernels/table.hpp"

using namespace likely;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

const std::vector<Optimizer> optimizers = {
    SGD{}, SGD{0.01, 0.9}, SGD{0.01, 0.9, true}, Adam{}, AdamW{}, RMSprop{}, Adagrad{}};

/// Parameters, their gradient and two slots each, of which an update takes any segment.
template <class T>
struct State {
    std::vector<T> parameters, gradient, slots;

    State(std::vector<T> values, std::vector<T> slopes)
        : parameters(std::move(values)), gradient(std::move(slopes)), slots(2 * gradient.size()) {}

    bool update(const Optimizer& optimizer, const Update& update) {
        return update_segment(optimizer, update, 0, parameters.size());
    }
    bool update_segment(const Optimizer& optimizer, const Update& update, std::size_t begin,
                        std::size_t end) {
        return kernels<T>().update(optimizer, update, static_cast<std::int64_t>(end - begin),
                                   static_cast<std::int64_t>(parameters.size()), &gradient[begin],
                                   &parameters[begin], &slots[begin]);
    }
};

Update at_rate(double rate) {
    Update update;
    update.learning_rate = rate;
    return update;
}

template <class T>
bool near(T got, double wanted, double scale = 1) {
    return std::abs(static_cast<double>(got) - wanted) <=
           8 * std::numeric_limits<T>::epsilon() * scale;
}

template <class T>
bool all_near(const std::vector<T>& got, const std::vector<double>& wanted) {
    bool good = got.size() == wanted.size();
    for (std::size_t i = 0; good && i < got.size(); ++i) good = near(got[i], wanted[i]);
    return good;
}

/// Two steps from 1 with the gradients 2 and -1 at rate 0.1.
template <class T>
double after_two_steps(const Optimizer& optimizer) {
    State<T> state({1}, {2});
    Update update = at_rate(0.1);
    CHECK(state.update(optimizer, update));
    state.gradient = {-1};
    update.step = 2;
    CHECK(state.update(optimizer, update));
    return static_cast<double>(state.parameters[0]);
}

template <class T>
void test_rules() {
    const auto check = [](const Optimizer& optimizer, double wanted) {
        CHECK(near(static_cast<T>(after_two_steps<T>(optimizer)), wanted));
    };
    check(SGD{}, 1 - 0.2 + 0.1);
    check(SGD{1, 0.5}, 1 - 0.1 * 2 - 0.1 * (0.5 * 2 - 1));
    check(SGD{1, 0.5, true}, 1 - 0.1 * (2 + 0.5 * 2) - 0.1 * (-1 + 0.5 * 0));
    // m = 1, 0; v = 1, 0.75 + 0.25 = 1: with b1 = 0.5, b2 = 0.75. Corrected v: 4, 1 / 0.4375.
    const Adam adam{1, 0.5, 0.75, 0.5};
    check(adam, 1 - 0.1 * (1 / 0.5) / (2 + 0.5) - 0);
    check(AdamW{adam, 0.1}, 1 - 0.1 * (1 / 0.5) / (2 + 0.5) - 0);
    // v = 2, 1.5
    check(RMSprop{1, 0.5, 0.5}, 1 - 0.1 * 2 / (std::sqrt(2) + 0.5) + 0.1 / (std::sqrt(1.5) + 0.5));
    // v = 4, 5
    check(Adagrad{1, 0.5}, 1 - 0.1 * 2 / 2.5 + 0.1 / (std::sqrt(5) + 0.5));
}

template <class T>
void test_clipping() {
    const std::vector<T> values{1, 1, 1, 1}, slopes{3, -3, T(0.2), 0};
    State<T> state(values, slopes);
    Update update = at_rate(1);
    update.clip_value = 0.5;
    CHECK(state.update(SGD{}, update));
    CHECK(all_near(state.parameters, {0.5, 1.5, 0.8, 1}));

    State<T> scaled(values, slopes);
    update = at_rate(1);
    update.gradient_scale = 0.25;
    CHECK(scaled.update(SGD{}, update));
    CHECK(all_near(scaled.parameters, {0.25, 1.75, 0.95, 1}));
}

template <class T>
void test_shrinking() {
    State<T> l2({1, -2}, {0, 0});
    Update update = at_rate(0.5);
    update.l2 = 0.1;
    CHECK(l2.update(SGD{}, update));
    CHECK(all_near(l2.parameters, {0.95, -1.9}));

    // The penalty's gradient is not clipped: it is added to what was.
    State<T> clipped({1, -2}, {3, 0});
    update.clip_value = 0.01;
    CHECK(clipped.update(SGD{}, update));
    CHECK(all_near(clipped.parameters, {1 - 0.5 * (0.01 + 0.1), -1.9}));

    // Decay needs no gradient, and goes before the step: the parameter that it shrinks is the old.
    State<T> decay({1, -2}, {0, 1});
    update = at_rate(0.5);
    update.weight_decay = 0.1;
    CHECK(decay.update(AdamW{{1, 0.9, 0.999, 1e-20}, 0.1}, update));
    CHECK(all_near(decay.parameters, {0.95, -1.9 - 0.5}));
}

/// w = sign(w) max(|w| - l1 metric, 0) after the step, with the metric of each optimizer.
template <class T>
void test_sparse() {
    const auto shrunk = [](const Optimizer& optimizer, T slope, double rate, double l1) {
        State<T> state({2, -2, T(0.001)}, {slope, slope, 0});
        Update update = at_rate(rate);
        update.step = 3;
        update.l1 = l1;
        CHECK(state.update(optimizer, update));
        return state.parameters;
    };
    CHECK(all_near(shrunk(SGD{}, 0, 0.1, 0.5), {1.95, -1.95, 0}));
    CHECK(shrunk(SGD{}, 0, 0.1, 0.5)[2] == 0 && shrunk(SGD{}, 0, 0.1, 30)[0] == 0);
    const double mu = 0.5;
    const double third = 1 + mu + mu * mu, fourth = third + mu * mu * mu;
    CHECK(all_near(shrunk(SGD{1, mu}, 0, 0.1, 0.5), {2 - 0.05 * third, 0.05 * third - 2, 0}));
    CHECK(
        all_near(shrunk(SGD{1, mu, true}, 0, 0.1, 0.5), {2 - 0.05 * fourth, 0.05 * fourth - 2, 0}));

    // Adaptive: by l1 rate / (sqrt(second moment) + epsilon), and without a gradient not at all.
    const double adagrad = 0.1 / (4 + 0.5);
    CHECK(all_near(shrunk(Adagrad{1, 0.5}, 4, 0.1, 0.5),
                   {2 - adagrad * 4.5, -2 - adagrad * 3.5, 0.001}));
    const double rmsprop = 0.1 / (std::sqrt(8) + 0.5);
    CHECK(all_near(shrunk(RMSprop{1, 0.5, 0.5}, 4, 0.1, 0.5),
                   {2 - rmsprop * 4.5, -2 - rmsprop * 3.5, 0.001}));
    const double mean = 2 / (1 - 0.125);  // of the third step: m = 2, v = 4
    const double adam = 0.1 / (std::sqrt(4 / (1 - 0.421875)) + 0.5);
    CHECK(all_near(shrunk(Adam{1, 0.5, 0.75, 0.5}, 4, 0.1, 0.5),
                   {2 - adam * (mean + 0.5), -2 - adam * (mean - 0.5), 0.001}));

    // Where the second moment, here g^2, passes 1e-12.
    for (const Optimizer& optimizer : {Optimizer(Adagrad{1, 0.1}), Optimizer(RMSprop{1, 0, 0.1}),
                                       Optimizer(Adam{1, 0, 0, 0.1})}) {
        const double below = 0.999e-6, above = 1.001e-6;
        CHECK(near(shrunk(optimizer, static_cast<T>(below), 1e-3, 1)[0],
                   2 - 1e-3 * below / (below + 0.1)));
        CHECK(near(shrunk(optimizer, static_cast<T>(above), 1e-3, 1)[0],
                   2 - 1e-3 * (above + 1) / (above + 0.1)));
    }
}

template <class T>
void test_not_finite() {
    const T huge = std::numeric_limits<T>::max(), nan = static_cast<T>(not_a_number);
    for (const std::size_t bad : {std::size_t{0}, std::size_t{5}, std::size_t{36}}) {
        for (const T slope : {huge, -huge, nan}) {
            for (const double l1 : {0.0, 0.1}) {
                State<T> state(std::vector<T>(37, T(0.5)), std::vector<T>(37, T(1)));
                state.gradient[bad] = slope;
                Update update = at_rate(10);
                update.l1 = l1;
                CHECK(!state.update(SGD{}, update));
                bool moved = true;
                for (std::size_t i = 0; i < state.parameters.size(); ++i) {
                    const double wanted = i == bad ? 0.5 : -9.5 + 10 * l1;
                    moved = moved && near(state.parameters[i], wanted, 10);
                }
                CHECK(moved);
            }
        }
    }
    // Lanes beyond the last parameter do not count: epsilon is 0 in float, and theirs 0 / 0.
    State<T> short_one({1}, {1});
    CHECK(short_one.update(Adagrad{1, 1e-320}, at_rate(0.5)));
    CHECK(near(short_one.parameters[0], 0.5));
    // What is not a number is not clipped to one.
    for (const Optimizer& optimizer : optimizers) {
        State<T> state({1}, {nan});
        Update update = at_rate(1);
        update.clip_value = 0.5;
        update.l1 = 10;
        CHECK(!state.update(optimizer, update) && state.parameters[0] == 1);
    }
}

/// Segments of any length and place, with their own penalties, move as one by one; beside them
/// nothing moves.
template <class T>
void test_segments() {
    std::vector<T> values, slopes;
    for (int i = 0; i < 67; ++i) {
        values.push_back(static_cast<T>(std::sin(i)));
        slopes.push_back(static_cast<T>(std::cos(3 * i)));
    }
    for (const Optimizer& optimizer : optimizers) {
        State<T> whole(values, slopes), parts(values, slopes), single(values, slopes);
        Update plain = at_rate(0.1), penalised = at_rate(0.1);
        penalised.l1 = 0.1;
        penalised.l2 = 0.2;
        penalised.weight_decay = 0.3;
        for (std::int64_t step = 1; step <= 3; ++step) {
            plain.step = penalised.step = step;
            const auto old = parts.parameters;
            CHECK(parts.update_segment(optimizer, penalised, 1, 36));
            CHECK(parts.parameters[0] == old[0]);
            CHECK(std::equal(old.begin() + 36, old.end(), parts.parameters.begin() + 36));
            CHECK(parts.update_segment(optimizer, plain, 36, 66));
            for (std::size_t i = 1; i < 66; ++i) {
                const Update& update = i < 36 ? penalised : plain;
                CHECK(single.update_segment(optimizer, update, i, i + 1));
            }
            CHECK(parts.update_segment(optimizer, plain, 5, 5));
            CHECK(whole.update(optimizer, plain));
        }
        bool same = true, as_whole = true;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const bool moves = i > 0 && i < 66;
            same = same && near(parts.parameters[i], static_cast<double>(single.parameters[i])) &&
                   (moves || parts.parameters[i] == values[i]);
            for (const std::size_t slot : {i, i + 67}) {
                same = same && near(parts.slots[slot], static_cast<double>(single.slots[slot])) &&
                       (moves || parts.slots[slot] == 0);
            }
            if (moves && i >= 36)
                as_whole =
                    as_whole && near(parts.parameters[i], static_cast<double>(whole.parameters[i]));
        }
        CHECK(same);
        CHECK(as_whole);
    }
}

/// The minimum of (w - c)^2 / 2 + l1 |w| is c - l1 for c > l1, and 0, exactly, for |c| <= l1.
template <class T>
void test_rest() {
    const Optimizer quick[] = {SGD{0.3},   SGD{0.03, 0.9}, SGD{0.03, 0.9, true},
                               Adam{0.03}, AdamW{{0.03}},  RMSprop{0.03},
                               Adagrad{3}};
    for (const Optimizer& optimizer : quick) {
        State<T> state({T(0.3), T(0.3), T(-0.3), T(-0.3)}, {0, 0, 0, 0});
        const std::vector<double> center{1, 0.2, -1, -0.2};
        Update update;
        update.l1 = 0.3;
        bool finite = true;
        for (update.step = 1; update.step <= 6000; ++update.step) {
            // Falling, as the adaptive optimizers' steps do not shrink with the gradient.
            update.learning_rate =
                learning_rate(optimizer) / std::sqrt(static_cast<double>(update.step));
            for (std::size_t i = 0; i < 4; ++i)
                state.gradient[i] = state.parameters[i] - static_cast<T>(center[i]);
            finite = state.update(optimizer, update) && finite;
        }
        CHECK(finite);
        CHECK(std::abs(state.parameters[0] - 0.7) < 1e-3);
        CHECK(std::abs(state.parameters[2] + 0.7) < 1e-3);
        CHECK(state.parameters[1] == 0 && state.parameters[3] == 0);
    }
}

template <class T>
void test_squared_norm() {
    const auto norm = [](const std::vector<T>& values) {
        return kernels<T>().squared_norm(static_cast<std::int64_t>(values.size()), values.data());
    };
    for (const std::size_t count : {0, 1, 3, 63, 64, 65, 1000, 4095, 4096, 4097, 20'011}) {
        std::vector<T> values(count);
        double wanted = 0;
        for (std::size_t i = 0; i < count; ++i) {
            values[i] = static_cast<T>(std::sin(static_cast<double>(i)) + 0.1);
            wanted += static_cast<double>(values[i]) * static_cast<double>(values[i]);
        }
        CHECK(std::abs(norm(values) - wanted) <= 64 * std::numeric_limits<T>::epsilon() * wanted);
        if (count == 0) continue;
        for (const std::size_t i : {std::size_t{0}, count / 2, count - 1}) {
            const T kept = values[i];
            values[i] = static_cast<T>(not_a_number);
            CHECK(std::isnan(norm(values)));
            values[i] = static_cast<T>(-infinity);
            CHECK(norm(values) == infinity);
            values[i] = std::sqrt(std::numeric_limits<T>::max()) * T(1.01);
            CHECK(norm(values) == infinity);
            values[i] = kept;
        }
    }
    // Too large together: in other lanes and in other blocks.
    std::vector<T> values(20'000);
    values[0] = values[1] = values[19'999] = std::sqrt(std::numeric_limits<T>::max()) * T(0.7);
    CHECK(norm(values) == infinity);
    values[1] = 0;
    CHECK(near(
        static_cast<T>(norm(values) / (0.98 * static_cast<double>(std::numeric_limits<T>::max()))),
        1));
}

template <class T>
void test_all() {
    test_rules<T>();
    test_clipping<T>();
    test_shrinking<T>();
    test_sparse<T>();
    test_not_finite<T>();
    test_segments<T>();
    test_rest<T>();
    test_squared_norm<T>();
}

void test_accessors() {
    CHECK(learning_rate(SGD{0.25}) == 0.25 && learning_rate(Adagrad{0.5}) == 0.5);
    CHECK(learning_rate(AdamW{}) == 0.001);
    CHECK(weight_decay(AdamW{{}, 0.2}) == 0.2 && weight_decay(Adam{}) == 0);
}

/// What a dead gradient leaves in the slots ends at 0, and arithmetic outside is as it was.
template <class T>
void test_small_numbers() {
    constexpr T smallest = std::numeric_limits<T>::denorm_min();
    for (const std::size_t count : {1, 50}) {
        State<T> state(std::vector<T>(count, T(1)), std::vector<T>(count));
        state.slots.assign(2 * count, smallest);
        CHECK(state.update(Adam{}, at_rate(0.1)));
        CHECK(state.slots == std::vector<T>(2 * count));
        CHECK(state.parameters == std::vector<T>(count, T(1)));
    }
    const volatile T small = 2 * smallest;
    CHECK(small / 2 == smallest);
}

}  // namespace

int main() {
    test_accessors();
    test_all<float>();
    test_all<double>();
#if defined(__x86_64__)
    test_small_numbers<float>();
    test_small_numbers<double>();
#endif
    return finish();
}
