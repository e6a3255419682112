// Models: what cannot be built and why, and files: the same bits back, in both precisions.

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "check.hpp"
#include "kernels/table.hpp"
#include "likely/model.hpp"
#include "likely/predictor.hpp"
#include "likely/trainer.hpp"
#include "plan.hpp"

using namespace likely;

namespace {

namespace fs = std::filesystem;

LayerPointer dense(std::int64_t units, Activation activation = Tanh{}) {
    return std::make_shared<const Layer>(Dense{units, activation});
}
LayerPointer residual(std::vector<LayerPointer> layers) {
    return std::make_shared<const Layer>(Residual{std::move(layers)});
}

Specification with_layers(std::vector<LayerPointer> layers) {
    Specification specification;
    specification.inputs = 3;
    specification.layers = std::move(layers);
    return specification;
}

/// A shared layer in nested blocks, two targets, a learned constant, names: all that a file keeps.
Specification everything() {
    const LayerPointer shared = dense(5, LeakyReLU{0.1});
    Specification specification =
        with_layers({dense(5, ELU{0.7}), residual({shared}), residual({shared, residual({shared})}),
                     std::make_shared<const Layer>(Dense{4, GELU{}, false, "he_normal"})});
    specification.targets = 2;
    specification.distribution = Normal{"shared"};
    specification.output = dense(2, Identity{});
    specification.standardize = true;
    specification.feature_names = {"a", "b \u20ac", ""};
    specification.target_names = {"y", "z"};
    return specification;
}

template <class T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

template <class T>
std::vector<T> some_rows(std::int64_t rows, std::int64_t columns) {
    std::vector<T> values(static_cast<std::size_t>(rows * columns));
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<T>(std::sin(1.7 * static_cast<double>(i)) * 3 + 1);
    return values;
}

template <class T>
Model<T> fitted() {
    Model<T> model(everything(), 11);
    const auto x = some_rows<T>(20, 3), y = some_rows<T>(20, 2);
    TrainerOptions options;
    options.epochs = 2;
    History history;
    fit<T>(model, options, {x.data(), y.data(), nullptr, 20}, std::nullopt, {}, history);
    return model;
}

template <class T>
std::vector<T> means(const Model<T>& model) {
    const auto x = some_rows<T>(4, 3);
    Predictor<T> predict(model, 4);
    std::vector<T> raw(8), mean(8);
    predict(x.data(), raw.data(), 4);
    predict.mean(raw.data(), mean.data(), 4);
    return mean;
}

void test_widths() {
    using M = Model<float>;
    CHECK_THROWS(M(with_layers({residual({dense(2)})}), 0),
                 "residual_0 gets 3 columns but its layers put out 2");
    CHECK_THROWS(M(with_layers({dense(5), residual({dense(5), residual({dense(4)})})}), 0),
                 "residual_1 gets 5 columns but its layers put out 4");
    const LayerPointer shared = dense(5);
    CHECK_THROWS(M(with_layers({shared, shared}), 0),
                 "dense_0 is used more than once, with 3 and with 5 inputs");

    Specification specification = with_layers({});
    specification.inputs = 0;
    CHECK_THROWS(M(specification, 0), "inputs must be at least 1; got 0");
    specification = with_layers({});
    specification.targets = -1;
    CHECK_THROWS(M(specification, 0), "targets must be at least 1; got -1");
    specification = with_layers({});
    specification.feature_names = {"one"};
    CHECK_THROWS(M(specification, 0), "feature_names must have 3 names; got 1");
    specification = with_layers({});
    specification.class_names = {"no", "yes"};
    CHECK_THROWS(M(specification, 0), "class_names needs a distribution of classes");
    specification.distribution = Categorical{3};
    CHECK_THROWS(M(specification, 0), "class_names must have 3 names; got 2");
    specification.distribution = Categorical{1};
    CHECK_THROWS(M(specification, 0), "classes must be at least 2; got 1");

    const std::int64_t huge = std::int64_t{1} << 40;
    CHECK_THROWS(M(with_layers({dense(huge), dense(huge)}), 0), "too large");
    // Blocks of two of the block before: few objects, but 2^20 uses.
    LayerPointer block = residual({dense(3)});
    for (int depth = 0; depth < 20; ++depth) block = residual({block, block});
    CHECK_THROWS(M(with_layers({block}), 0), "layers are used more than");
}

/// Layers put together in C++ have not passed the checks that Python's constructors make.
void test_layers() {
    using M = Model<float>;
    const auto of = [](auto layer) { return std::make_shared<const Layer>(std::move(layer)); };
    CHECK_THROWS(M(with_layers({dense(0)}), 0), "units must be at least 1; got 0");
    CHECK_THROWS(M(with_layers({residual({dense(-3)})}), 0), "units must be at least 1; got -3");
    CHECK_THROWS(M(with_layers({dense(3, LeakyReLU{-1.0})}), 0), "negative_slope must be");
    CHECK_THROWS(M(with_layers({of(Dense{3, Tanh{}, true, "glorot"})}), 0),
                 "unknown init 'glorot'; did you mean 'glorot_uniform'?");
    CHECK_THROWS(M(with_layers({residual({})}), 0), "layers must be at least one layer");
    CHECK_THROWS(M(with_layers({nullptr}), 0), "layer");
    CHECK_THROWS(M(with_layers({residual({dense(3), nullptr})}), 0), "layer");
    LayerPointer deep = dense(3);
    for (int depth = 0; depth < 100; ++depth) deep = residual({deep});
    CHECK_THROWS(M(with_layers({deep}), 0), "deep");
}

void test_output() {
    const auto with_output = [](LayerPointer output, Distribution distribution) {
        Specification specification = with_layers({dense(4)});
        specification.targets = 2;
        specification.output = std::move(output);
        specification.distribution = std::move(distribution);
        return Model<double>(specification, 0);
    };
    CHECK_THROWS(with_output(dense(3), Normal{}), "output must have 4 units");
    CHECK_THROWS(with_output(dense(4), Normal{1.0}), "output must have 2 units");
    CHECK_THROWS(with_output(dense(2), Categorical{3}), "output must have 6 units");
    CHECK_THROWS(with_output(residual({dense(4)}), Normal{}), "output must be a Dense layer");
    CHECK(with_output(nullptr, Normal{}).plan().raw_width == 4);
    CHECK(with_output(nullptr, Normal{"shared"}).plan().raw_width == 2);
    CHECK(with_output(nullptr, Categorical{3}).plan().raw_width == 6);
    CHECK(with_output(dense(2), Bernoulli{}).plan().raw_width == 2);
}

void test_parameters() {
    Model<double> model(everything(), 3);
    // 3 5 + 5, shared 5 5 + 5, 5 4 without bias, output 4 2 + 2, one constant for each target.
    CHECK(model.parameters().size() == 20 + 30 + 20 + 10 + 2);
    CHECK(same_bits<double>(model.parameters(), Model<double>(everything(), 3).parameters()));
    CHECK(!same_bits<double>(model.parameters(), Model<double>(everything(), 4).parameters()));
    CHECK(!model.scaling().fitted());

    Model<double> copy = model;
    copy.parameters()[0] = 100;
    CHECK(model.parameters()[0] != 100);
    CHECK(means(Model<double>(std::move(copy))) != means(model));
}

template <class T>
void test_round_trip(const fs::path& folder) {
    const Model<T> model = fitted<T>();
    const fs::path path = folder / "a model.safetensors";
    model.save(path);
    const Model<T> loaded = Model<T>::load(path);
    CHECK(same_bits<T>(loaded.parameters(), model.parameters()));
    CHECK(loaded.scaling().fitted());
    CHECK(loaded.scaling().input_mean == model.scaling().input_mean);
    CHECK(loaded.scaling().input_scale == model.scaling().input_scale);
    CHECK(loaded.scaling().target_mean == model.scaling().target_mean);
    CHECK(loaded.scaling().target_scale == model.scaling().target_scale);
    CHECK(loaded.to_bytes() == model.to_bytes());
    CHECK(means(loaded) == means(model));

    // The shared layer is one object again, and the rest of the specification is there.
    const Specification& specification = loaded.specification();
    const auto& first = std::get<Residual>(*specification.layers.at(1)).layers;
    const auto& second = std::get<Residual>(*specification.layers.at(2)).layers;
    CHECK(first.at(0) == second.at(0));
    CHECK(std::get<Residual>(*second.at(1)).layers.at(0) == first.at(0));
    CHECK(specification.feature_names == everything().feature_names);
    CHECK(specification.target_names == everything().target_names);
    CHECK(specification.standardize && specification.targets == 2);
    const auto& last = std::get<Dense>(*specification.layers.at(3));
    CHECK(!last.bias && last.init == "he_normal" && std::holds_alternative<GELU>(last.activation));
    const auto& leaky = std::get<LeakyReLU>(std::get<Dense>(*first.at(0)).activation);
    CHECK(leaky.negative_slope == 0.1);

    // A model that was never fitted has no scaling.
    const Model<T> fresh(everything(), 1);
    CHECK(!Model<T>::from_bytes(fresh.to_bytes()).scaling().fitted());
}

void test_cross_precision() {
    const Model<float> single = fitted<float>();
    const auto widened = Model<double>::from_bytes(single.to_bytes());
    for (std::size_t i = 0; i < single.parameters().size(); ++i)
        CHECK(widened.parameters()[i] == static_cast<double>(single.parameters()[i]));
    CHECK(widened.scaling().input_mean == single.scaling().input_mean);
    CHECK(same_bits<float>(Model<float>::from_bytes(widened.to_bytes()).parameters(),
                           single.parameters()));

    Model<double> wide = fitted<double>();
    const auto narrowed = Model<float>::from_bytes(wide.to_bytes());
    for (std::size_t i = 0; i < wide.parameters().size(); ++i)
        CHECK(narrowed.parameters()[i] == static_cast<float>(wide.parameters()[i]));
    wide.parameters()[0] = 1e39;
    CHECK_THROWS(Model<float>::from_bytes(wide.to_bytes()), "a number that is not finite");
    CHECK(Model<double>::from_bytes(wide.to_bytes()).parameters()[0] == 1e39);
}

void test_load_errors(const fs::path& folder) {
    const fs::path path = folder / "damaged.safetensors";
    const Model<float> model = fitted<float>();
    const auto whole = model.to_bytes();
    const auto load = [&](std::string_view bytes) {
        std::ofstream(path, std::ios::binary) << bytes;
        return Model<float>::load(path);
    };
    const std::string text(reinterpret_cast<const char*>(whole.data()), whole.size());
    CHECK_THROWS(Model<float>::load(folder / "missing.safetensors"), "missing.safetensors");
    CHECK_THROWS(Model<float>::load(folder), folder.filename().string());
    CHECK(load(text).parameters().size() == model.parameters().size());
    for (std::size_t size = 0; size < text.size(); size += 1 + text.size() / 97)
        CHECK_THROWS(load(text.substr(0, size)), "damaged.safetensors");
    CHECK_THROWS(load("GIF89a, and so on"), "damaged.safetensors");
    CHECK_THROWS(load(text + "x"), "damaged.safetensors");

    // One change in the description, with the length in front of it set right.
    const auto changed = [&](std::string_view from, std::string_view to) {
        std::string other = text;
        other.replace(other.find(from), from.size(), to);
        std::uint64_t length = 0;
        std::memcpy(&length, other.data(), sizeof length);
        length += to.size() - from.size();
        std::memcpy(other.data(), &length, sizeof length);
        return load(other);
    };
    CHECK_THROWS(changed("likely", "lively"), "damaged.safetensors: ");
    CHECK_THROWS(changed("likely", "lively"), "not one that likely wrote");
    CHECK_THROWS(changed("\\\"format\\\":1", "\\\"format\\\":7"), "its format is 7");
    CHECK_THROWS(changed("GELU", "GALU"), "did you mean 'GELU'");
    CHECK_THROWS(changed("negative_slope", "nagative_slope"), "negative_slope");
    CHECK_THROWS(changed("\\\"bias\\\":true", "\\\"bias\\\":true,\\\"depth\\\":2"), "depth");
    CHECK_THROWS(changed("\\\"standardize\\\":true", "\\\"standardize\\\":1"), "expected a bool");
    CHECK_THROWS(changed("\"dense_1.weight\"", "\"dense_9.weight\""), "dense_1.weight is missing");
    CHECK_THROWS(changed("[5,5]", "[1,25]"), "damaged.safetensors");

    const float nan = std::nanf("");
    std::string broken = text;
    std::memcpy(broken.data() + broken.size() - sizeof nan, &nan, sizeof nan);
    CHECK_THROWS(load(broken), "a number that is not finite");
}

}  // namespace

int main() {
    const fs::path folder =
        fs::temp_directory_path() / ("likely-test-model-" + std::to_string(::getpid()));
    fs::create_directory(folder);
    test_widths();
    test_layers();
    test_output();
    test_parameters();
    test_round_trip<float>(folder);
    test_round_trip<double>(folder);
    test_cross_precision();
    test_load_errors(folder);
    fs::remove_all(folder);
    return finish();
}
