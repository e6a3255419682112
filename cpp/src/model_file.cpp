#include "model_file.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "describe.hpp"
#include "plan.hpp"

namespace likely {
namespace {

constexpr std::int64_t format_number = 1;

/// Builds the layers of a file from their flat list, each once, so that sharing survives.
class LayerReader {
  public:
    explicit LayerReader(const Json::Array& descriptions)
        : descriptions_(descriptions),
          layers_(descriptions.size()),
          open_(descriptions.size(), false) {}

    LayerPointer at(std::int64_t number) {
        if (number < 0 || number >= static_cast<std::int64_t>(layers_.size())) {
            throw std::invalid_argument("there is no layer number " + std::to_string(number));
        }
        const auto index = static_cast<std::size_t>(number);
        if (layers_[index]) return layers_[index];
        if (open_[index]) throw std::invalid_argument("a layer contains itself");
        if (++depth_ > deepest_nesting) throw std::invalid_argument("layers are nested too deeply");
        open_[index] = true;
        Json description = descriptions_[index];
        description = without_name(description);
        layers_[index] = std::make_shared<const Layer>(
            construct<Layer>(description, [this](std::int64_t inner) { return at(inner); }));
        --depth_;
        return layers_[index];
    }

  private:
    static Json without_name(const Json& description) {
        Json::Object members = description.as_object();
        std::erase_if(members, [](const auto& member) { return member.first == "name"; });
        return Json(std::move(members));
    }

    const Json::Array& descriptions_;
    std::vector<LayerPointer> layers_;
    std::vector<bool> open_;
    int depth_ = 0;
};

std::vector<std::string> strings(const Json& json) {
    std::vector<std::string> result;
    for (const Json& item : json.as_array()) result.push_back(item.as_string());
    return result;
}

/// What `read` makes of an entry; an error says which entry.
template <class Read>
auto entry(const Json& json, const std::string& name, const Read& read) {
    const Json& value = json.at(name);
    try {
        return read(value);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(name + ": " + error.what());
    }
}

std::vector<double> numbers(const Json& json, const std::string& name, std::int64_t expected,
                            bool positive) {
    return entry(json, name, [&](const Json& value) {
        std::vector<double> result;
        for (const Json& item : value.as_array()) {
            result.push_back(item.as_double());
            if (positive && !(result.back() > 0)) throw std::invalid_argument("must be positive");
        }
        if (static_cast<std::int64_t>(result.size()) != expected) {
            throw std::invalid_argument("must have " + std::to_string(expected) + " numbers; got " +
                                        std::to_string(result.size()));
        }
        return result;
    });
}

std::int64_t integer(const Json& json) { return json.as_int(); }

void reject_unknown(const Json& json, const std::vector<std::string_view>& known) {
    for (const auto& member : json.as_object()) {
        if (std::find(known.begin(), known.end(), member.first) == known.end()) {
            throw_unknown_name("entry", member.first, known);
        }
    }
}

}  // namespace

Json describe_specification(const Specification& specification) {
    const auto named = distinct_layers(specification.layers, specification.output);
    const auto number_of = [&](const LayerPointer& layer) {
        const auto found = std::find_if(named.begin(), named.end(),
                                        [&](const auto& n) { return n.layer == layer; });
        return static_cast<std::int64_t>(found - named.begin());
    };
    Json::Array layers, tree;
    for (const auto& [name, layer] : named) {
        Json::Object members{{"name", Json(name)}};
        const Json description = describe(*layer, number_of);
        for (const auto& member : description.as_object()) members.push_back(member);
        layers.emplace_back(std::move(members));
    }
    for (const auto& layer : specification.layers) tree.emplace_back(number_of(layer));
    Json json;
    json.set("inputs", specification.inputs);
    json.set("targets", specification.targets);
    json.set("layers", Json(std::move(layers)));
    json.set("tree", Json(std::move(tree)));
    json.set("output", number_of(specification.output));
    json.set("distribution", describe(specification.distribution));
    json.set("standardize", specification.standardize);
    json.set("feature_names", specification.feature_names);
    json.set("target_names", specification.target_names);
    json.set("class_names", specification.class_names);
    return json;
}

Specification construct_specification(const Json& json) {
    reject_unknown(json, {"inputs", "targets", "layers", "tree", "output", "distribution",
                          "standardize", "feature_names", "target_names", "class_names"});
    Specification specification;
    specification.inputs = entry(json, "inputs", integer);
    specification.targets = entry(json, "targets", integer);
    std::vector<std::string> names;
    std::optional<LayerReader> reader;
    entry(json, "layers", [&](const Json& value) {
        for (const Json& layer : value.as_array()) names.push_back(layer.at("name").as_string());
        reader.emplace(value.as_array());
        return 0;
    });
    specification.layers = entry(json, "tree", [&](const Json& value) {
        std::vector<LayerPointer> layers;
        for (const Json& number : value.as_array()) layers.push_back(reader->at(number.as_int()));
        return layers;
    });
    specification.output =
        entry(json, "output", [&](const Json& value) { return reader->at(value.as_int()); });
    specification.distribution = entry(json, "distribution", [](const Json& value) {
        return construct<Distribution>(value, [](std::int64_t) -> LayerPointer {
            throw std::invalid_argument("a distribution holds no layers");
        });
    });
    specification.standardize =
        entry(json, "standardize", [](const Json& value) { return value.as_bool(); });
    specification.feature_names = entry(json, "feature_names", strings);
    specification.target_names = entry(json, "target_names", strings);
    specification.class_names = entry(json, "class_names", strings);
    const auto distinct = distinct_layers(specification.layers, specification.output);
    if (!std::ranges::equal(distinct, names, {}, &NamedLayer::name)) {
        throw std::invalid_argument(
            "layers: the list does not hold each layer once, in the order of first use, "
            "under the name of its tensors");
    }
    return completed(std::move(specification));
}

Metadata model_metadata(const Specification& specification, const Scaling& scaling) {
    Json json;
    json.set("format", format_number);
    json.set("specification", describe_specification(specification));
    if (scaling.fitted()) {
        Json numbers_of;
        numbers_of.set("input_mean", scaling.input_mean);
        numbers_of.set("input_scale", scaling.input_scale);
        numbers_of.set("target_mean", scaling.target_mean);
        numbers_of.set("target_scale", scaling.target_scale);
        json.set("scaling", std::move(numbers_of));
    } else {
        json.set("scaling", Json());
    }
    return {{"likely", dump(json)}};
}

ModelFile read_model_file(std::vector<std::byte> bytes) {
    ModelFile file;
    file.tensors = read_safetensors(std::move(bytes));
    const auto text = file.tensors.metadata.find("likely");
    if (text == file.tensors.metadata.end()) {
        throw std::invalid_argument(
            "a safetensors file, but not one that likely wrote (no 'likely' in its metadata)");
    }
    const Json json = parse_json(text->second);
    const std::int64_t format = entry(json, "format", integer);
    if (format != format_number) {
        throw std::invalid_argument("its format is " + std::to_string(format) +
                                    ", this version of likely reads " +
                                    std::to_string(format_number));
    }
    reject_unknown(json, {"format", "specification", "scaling"});
    file.specification = entry(json, "specification", construct_specification);
    if (const Json& scaling = json.at("scaling"); !scaling.is_null()) {
        if (!file.specification.standardize) {
            throw std::invalid_argument("scaling: there is one, but standardize is false");
        }
        reject_unknown(scaling, {"input_mean", "input_scale", "target_mean", "target_scale"});
        const auto& specification = file.specification;
        file.scaling.input_mean = numbers(scaling, "input_mean", specification.inputs, false);
        file.scaling.input_scale = numbers(scaling, "input_scale", specification.inputs, true);
        file.scaling.target_mean = numbers(scaling, "target_mean", specification.targets, false);
        file.scaling.target_scale = numbers(scaling, "target_scale", specification.targets, true);
    }
    return file;
}

namespace {

AnyModel in_its_precision(ModelFile file, const std::optional<Distribution>& distribution) {
    if (distribution) {
        const std::string wanted = dump(describe(file.specification.distribution));
        const std::string given = dump(describe(*distribution));
        require(given == wanted, "distribution", "the one of the file, " + wanted, given);
        file.specification.distribution = *distribution;
    }
    const auto& tensors = file.tensors.tensors;
    if (!tensors.empty() && tensors.front().dtype == "F64") return Model<double>::from_file(file);
    return Model<float>::from_file(file);
}

}  // namespace

AnyModel any_model_from_bytes(std::vector<std::byte> bytes,
                              const std::optional<Distribution>& distribution) {
    return in_its_precision(read_model_file(std::move(bytes)), distribution);
}

AnyModel load_any_model(const std::filesystem::path& path,
                        const std::optional<Distribution>& distribution) {
    return load_as(path,
                   [&](ModelFile file) { return in_its_precision(std::move(file), distribution); });
}

}  // namespace likely
