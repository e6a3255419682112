// A custom density in C++: it trains as the built-in normal does, with one call a batch; what it
// throws passes through; without its function a model predicts raw parameters alone.

#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "describe.hpp"
#include "likely/predictor.hpp"
#include "likely/trainer.hpp"

using namespace likely;

namespace {

/// Counts its calls, and throws at one of them.
class NormalDensity final : public CustomDensity {
  public:
    explicit NormalDensity(std::size_t failing_call = 0) : failing_call_(failing_call) {}

    void evaluate(std::int64_t samples, const double* y, const double* raw, double* log_prob,
                  double* derivative) const override {
        sizes.push_back(samples);
        if (sizes.size() == failing_call_) throw std::runtime_error("mine");
        for (std::int64_t i = 0; i < samples; ++i) {
            const double log_scale = raw[samples + i];
            const double residual = (y[i] - raw[i]) * std::exp(-log_scale);
            log_prob[i] = -0.5 * residual * residual - log_scale - half_log_two_pi;
            if (!derivative) continue;
            derivative[i] = residual * std::exp(-log_scale);
            derivative[samples + i] = residual * residual - 1;
        }
    }

    mutable std::vector<std::int64_t> sizes;

  private:
    std::size_t failing_call_;
};

Custom custom(std::shared_ptr<const CustomDensity> density) {
    Custom family{"mine", {"loc", "log_scale"}, "real", std::move(density)};
    family.validate();
    return family;
}

template <class T>
Model<T> model_of(const Distribution& distribution) {
    Specification specification;
    specification.inputs = 2;
    specification.targets = 2;
    specification.layers = {std::make_shared<const Layer>(Dense{3, Tanh{}})};
    specification.distribution = distribution;
    return Model<T>(std::move(specification), 7);
}

constexpr std::int64_t rows = 3000, batch = 1300;

template <class T>
History train(Model<T>& model) {
    std::vector<T> x(2 * rows), y(2 * rows);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<T>(std::sin(static_cast<double>(i)));
        y[i] = static_cast<T>(std::cos(3 * static_cast<double>(i)));
    }
    TrainerOptions options;
    options.batch_size = batch;
    options.epochs = 2;
    History history;
    fit(model, options, Dataset<T>{x.data(), y.data(), nullptr, rows}, {}, {}, history);
    return history;
}

template <class T>
void test_training() {
    const auto density = std::make_shared<const NormalDensity>();
    Model<T> mine = model_of<T>(custom(density)), normal = model_of<T>(Normal{});
    const History history = train(mine), expected = train(normal);
    CHECK((density->sizes == std::vector<std::int64_t>{2600, 2600, 800, 2600, 2600, 800}));
    const double tolerance = 64 * static_cast<double>(std::numeric_limits<T>::epsilon());
    for (std::size_t i = 0; i < normal.parameters().size(); ++i) {
        const double distance =
            static_cast<double>(mine.parameters()[i]) - static_cast<double>(normal.parameters()[i]);
        CHECK(std::abs(distance) <= tolerance);
    }
    CHECK(std::abs(history.loss.back() - expected.loss.back()) <= tolerance);

    Model<T> failing = model_of<T>(custom(std::make_shared<const NormalDensity>(4)));
    CHECK_THROWS((train(failing), 0), "mine");
    for (const T value : failing.parameters()) CHECK(std::isfinite(value));
}

template <class T>
void test_without_function() {
    Model<T> bare = model_of<T>(custom(nullptr));
    CHECK_THROWS((train(bare), 0), "the function of density 'mine' is missing");
    const Model<T> again = Model<T>::from_bytes(bare.to_bytes());
    CHECK(dump(describe(again.specification().distribution)) ==
          dump(describe(bare.specification().distribution)));

    Predictor<T> predict(again);
    const std::vector<T> x{T(0.5), T(-1)};
    std::vector<T> raw(4), out(2);
    predict(x.data(), raw.data());
    predict.parameter(raw.data(), 1, out.data());
    CHECK(out[0] == raw[2] && out[1] == raw[3]);
    predict.mean(raw.data(), out.data());
    CHECK(std::isnan(out[0]) && std::isnan(out[1]));
    predict.log_prob(raw.data(), x.data(), out.data());
    CHECK(std::isnan(out[0]) && std::isnan(out[1]));
}

void test_fields() {
    const auto refused = [](Custom family, const char* reason) {
        CHECK_THROWS((family.validate(), 0), reason);
    };
    refused({"", {"loc"}}, "name must be");
    refused({"mine", {}}, "parameters must be at least one name");
    refused({"mine", {"loc", ""}}, "parameters must be names");
    refused({"mine", {"loc", "loc"}}, "parameters must be different names; got 'loc twice'");
    refused({"mine", {"loc"}, "posative"}, "unknown support 'posative'; did you mean 'positive'?");
    const auto supported = [](const char* support, std::vector<double> expected) {
        const Custom family{"mine", {"loc"}, support};
        std::vector<double> found;
        for (const double y : {-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, std::nan(""), HUGE_VAL, -HUGE_VAL}) {
            if (family.supports(y)) found.push_back(y);
        }
        CHECK(found == expected);
    };
    supported("real", {-1, -0.5, 0, 0.5, 1, 1.5});
    supported("positive", {0.5, 1, 1.5});
    supported("nonnegative", {0, 0.5, 1, 1.5});
    supported("unit_interval", {0, 0.5, 1});
    supported("integer", {-1, 0, 1});
    supported("nonnegative_integer", {0, 1});
}

}  // namespace

int main() {
    test_training<float>();
    test_training<double>();
    test_without_function<float>();
    test_without_function<double>();
    test_fields();
    return finish();
}
