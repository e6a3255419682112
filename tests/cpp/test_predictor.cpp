// The predictor against the formulas written out, and its promises: any number of rows, moves, nan
// for questions without an answer.

#include <cmath>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "check.hpp"
#include "likely/predictor.hpp"

using namespace likely;

namespace {

using Q = Predictor<double>;
static_assert(!std::is_copy_constructible_v<Q> && std::is_nothrow_move_constructible_v<Q> &&
              std::is_nothrow_move_assignable_v<Q>);

template <class T>
constexpr double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-13;

template <class T>
bool near(T got, double wanted) {
    return std::abs(static_cast<double>(got) - wanted) <= tolerance<T> * (1 + std::abs(wanted));
}
template <class T>
bool near(const std::vector<T>& got, const std::vector<T>& wanted) {
    if (got.size() != wanted.size()) return false;
    for (std::size_t i = 0; i < got.size(); ++i)
        if (!near(got[i], static_cast<double>(wanted[i]))) return false;
    return true;
}
template <class T>
bool all_nan(const std::vector<T>& values) {
    for (const T value : values)
        if (!std::isnan(value)) return false;
    return true;
}

/// 3 inputs, a hidden layer of 4, 2 targets, scaled where the family allows.
Specification specification_with(Distribution distribution) {
    Specification specification;
    specification.inputs = 3;
    specification.targets = 2;
    specification.layers = {std::make_shared<const Layer>(Dense{4, Tanh{}})};
    specification.distribution = std::move(distribution);
    return specification;
}

template <class T>
Model<T> model_with(Distribution distribution) {
    Model<T> model(specification_with(std::move(distribution)), 5);
    for (std::size_t i = 0; i < model.parameters().size(); ++i)
        model.parameters()[i] += static_cast<T>(0.1 * std::cos(static_cast<double>(i)));
    return model;
}

const Scaling scaling{{1, -2, 30}, {2, 0.5, 10}, {100, -1}, {20, 0.25}};

template <class T>
std::vector<T> some_rows(std::int64_t rows) {
    std::vector<T> x;
    for (std::int64_t i = 0; i < rows; ++i) {
        const double t = std::sin(1.3 * static_cast<double>(i));
        for (const double value : {1 + 3 * t, -2 + 0.4 * t * t, 30 - 11 * t})
            x.push_back(static_cast<T>(value));
    }
    return x;
}

/// Raw parameter `unit` of a row, from the plan's flat layout: weight (3, 4), bias, weight, bias.
template <class T>
double raw_by_hand(const Model<T>& model, const T* x, std::size_t unit, std::size_t width) {
    const auto p = model.parameters();
    double sum = p[16 + 4 * width + unit];
    for (std::size_t j = 0; j < 4; ++j) {
        double z = p[12 + j];
        for (std::size_t i = 0; i < 3; ++i) {
            double input = x[i];
            if (model.scaling().fitted())
                input = (input - scaling.input_mean[i]) / scaling.input_scale[i];
            z += input * p[4 * i + j];
        }
        sum += std::tanh(z) * p[16 + width * j + unit];
    }
    return sum;
}

template <class T>
void test_normal() {
    Model<T> model = model_with<T>(Normal{});
    model.set_scaling(scaling);
    Predictor<T> predict(model, 8);
    CHECK(predict.inputs() == 3 && predict.targets() == 2 && predict.raw_width() == 4);

    const std::int64_t rows = 5;
    const auto x = some_rows<T>(rows);
    std::vector<T> raw(20), mean(10), deviation(10), mode(10), entropy(10), quantile(10), loc(10),
        scale(10), y(10), cdf(10), density(10);
    predict(x.data(), raw.data(), rows);
    predict.mean(raw.data(), mean.data(), rows);
    predict.std(raw.data(), deviation.data(), rows);
    predict.mode(raw.data(), mode.data(), rows);
    predict.entropy(raw.data(), entropy.data(), rows);
    predict.quantile(raw.data(), 0.99, quantile.data(), rows);
    predict.parameter(raw.data(), 0, loc.data(), rows);
    predict.parameter(raw.data(), 1, scale.data(), rows);
    for (std::size_t i = 0; i < 10; ++i) y[i] = mean[i] + deviation[i] / 2;
    predict.cdf(raw.data(), y.data(), cdf.data(), rows);
    predict.log_prob(raw.data(), y.data(), density.data(), rows);
    CHECK(mode == mean && loc == mean && scale == deviation);
    const double two_pi_e = 17.079468445347132;
    for (std::size_t i = 0; i < 5; ++i) {
        for (std::size_t t = 0; t < 2; ++t) {
            const double unit = scaling.target_scale[t];
            const double m = scaling.target_mean[t] + unit * raw_by_hand(model, &x[3 * i], t, 4);
            const double s = unit * std::exp(raw_by_hand(model, &x[3 * i], 2 + t, 4));
            const std::size_t at = 2 * i + t;
            CHECK(near(mean[at], m));
            CHECK(near(deviation[at], s));
            CHECK(near(quantile[at], m + 2.3263478740408411 * s));
            CHECK(near(entropy[at], 0.5 * std::log(two_pi_e * s * s)));
            CHECK(near(cdf[at], 0.69146246127401310));
            CHECK(near(density[at], -0.125 - std::log(s) - 0.91893853320467274));
        }
    }
}

template <class T>
void test_classes() {
    const auto x = some_rows<T>(1);
    std::vector<T> out(2), raw(6), label{1, 0};

    const Model<T> binary = model_with<T>(Bernoulli{});
    Predictor<T> coin(binary);
    coin(x.data(), raw.data());
    coin.mean(raw.data(), out.data());
    for (std::size_t t = 0; t < 2; ++t)
        CHECK(near(out[t], 1 / (1 + std::exp(-raw_by_hand(binary, x.data(), t, 2)))));

    const Model<T> three = model_with<T>(Categorical{3});
    Predictor<T> predict(three);
    predict(x.data(), raw.data());
    std::vector<double> total(2), probability(6);
    for (std::size_t k = 0; k < 3; ++k) {
        for (std::size_t t = 0; t < 2; ++t) {
            probability[2 * k + t] = std::exp(raw_by_hand(three, x.data(), 2 * k + t, 6));
            total[t] += probability[2 * k + t];
        }
    }
    for (std::size_t k = 0; k < 3; ++k) {
        predict.parameter(raw.data(), static_cast<std::int64_t>(k), out.data());
        for (std::size_t t = 0; t < 2; ++t) CHECK(near(out[t], probability[2 * k + t] / total[t]));
    }
    predict.log_prob(raw.data(), label.data(), out.data());
    CHECK(near(out[0], std::log(probability[2] / total[0])));
    CHECK(near(out[1], std::log(probability[1] / total[1])));
    predict.mean(raw.data(), out.data());
    CHECK(all_nan(out));  // labels have no order of size
}

template <class T>
void test_rows() {
    // One at a time, in one piece, in pieces of 16, and more than the largest piece there is.
    Model<T> model = model_with<T>(Normal{"shared"});
    model.set_scaling(scaling);
    const std::int64_t rows = 3000;
    const auto x = some_rows<T>(rows);
    std::vector<T> single(6000), whole(6000), pieces(6000), mean(6000), mean_of_one(2);
    Predictor<T> one(model), many(model, rows), few(model, 3);
    for (std::int64_t i = 0; i < rows; ++i) one(x.data() + 3 * i, single.data() + 2 * i);
    many(x.data(), whole.data(), rows);
    few(x.data(), pieces.data(), rows);
    CHECK(near(whole, single));
    CHECK(near(pieces, single));
    many.mean(whole.data(), mean.data(), rows);
    bool same = true;
    for (const std::int64_t i : {0, 255, 256, 1023, 1024, 2999}) {
        few.mean(whole.data() + 2 * i, mean_of_one.data());
        const auto at = static_cast<std::size_t>(2 * i);
        same = same && mean_of_one[0] == mean[at] && mean_of_one[1] == mean[at + 1];
    }
    CHECK(same);
    many(x.data(), whole.data(), 0);
    CHECK_THROWS(Predictor<T>(model, 0), "max_batch must be at least 1; got 0");
}

template <class T>
void test_moves() {
    std::optional<Model<T>> model = model_with<T>(Normal{});
    Predictor<T> first(*model), other(model_with<T>(Bernoulli{}));
    const auto x = some_rows<T>(1);
    std::vector<T> wanted(4), got(4);
    first(x.data(), wanted.data());
    model.reset();  // a predictor needs its model no longer
    Predictor<T> second(std::move(first));
    second(x.data(), got.data());
    CHECK(got == wanted);
    other = std::move(second);
    CHECK(other.raw_width() == 4);
    got.assign(4, 0);
    other(x.data(), got.data());
    CHECK(got == wanted);
}

template <class T>
void test_no_answer(Distribution distribution, std::int64_t parameters) {
    const Model<T> model = model_with<T>(std::move(distribution));
    Predictor<T> predict(model);
    const auto x = some_rows<T>(1);
    std::vector<T> raw(static_cast<std::size_t>(predict.raw_width())), out(2);
    predict(x.data(), raw.data());
    for (const double wrong : {-0.01, 1.01, -HUGE_VAL, HUGE_VAL, std::nan("")}) {
        out.assign(2, 0);
        predict.quantile(raw.data(), wrong, out.data());
        CHECK(all_nan(out));
    }
    for (const std::int64_t wrong : {std::int64_t{-1}, parameters, INT64_MAX, INT64_MIN}) {
        out.assign(2, 0);
        predict.parameter(raw.data(), wrong, out.data());
        CHECK(all_nan(out));
    }
    predict.parameter(raw.data(), parameters - 1, out.data());
    CHECK(std::isfinite(out[0]) && std::isfinite(out[1]));
}

template <class T>
void test_ends() {
    Predictor<T> predict(model_with<T>(Normal{}));
    const auto x = some_rows<T>(1);
    std::vector<T> raw(4), low(2), high(2);
    predict(x.data(), raw.data());
    predict.quantile(raw.data(), 0, low.data());
    predict.quantile(raw.data(), 1, high.data());
    CHECK(low[0] == -HUGE_VAL && low[1] == -HUGE_VAL && high[0] == HUGE_VAL);
}

template <class T>
void test_all() {
    test_normal<T>();
    test_classes<T>();
    test_rows<T>();
    test_moves<T>();
    test_no_answer<T>(Normal{}, 2);
    test_no_answer<T>(Bernoulli{}, 1);
    test_no_answer<T>(Categorical{3}, 3);
    test_ends<T>();
}

}  // namespace

int main() {
    test_all<float>();
    test_all<double>();
    return finish();
}
