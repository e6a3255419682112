// One list a kind: unique names, construction by name in any spelling, errors that help, fields.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "check.hpp"
#include "likely/distributions.hpp"
#include "likely/layers.hpp"
#include "likely/optimizers.hpp"

using namespace likely;

namespace {

std::string upper_case(std::string_view name) {
    std::string result(name);
    for (char& letter : result) letter = static_cast<char>(std::toupper(letter));
    return result;
}

/// What must hold for every list.
template <class Kind>
void test_kind() {
    const auto names = names_of<Kind>();
    CHECK(names.size() == std::variant_size_v<Kind>);
    std::set<std::string> distinct;
    for (const std::string_view name : names) distinct.insert(normalized_name(name));
    CHECK(distinct.size() == names.size());

    for_each_member<Kind>([&](auto member) {
        using Member = typename decltype(member)::type;
        const std::string name(Member::name);
        const std::string underscored = name.substr(0, 2) + "_" + name.substr(2);
        for (const std::string& spelling :
             {name, upper_case(name), normalized_name(name), underscored}) {
            CHECK(std::holds_alternative<Member>(member_by_name<Kind>("member", spelling)));
        }
        CHECK(!std::string_view(Member::doc).empty());

        std::set<std::string_view> fields;
        std::size_t count = 0;
        bool required = false;
        for_each_field<Member>([&](const auto& field) {
            ++count;
            fields.insert(field.name);
            required = required || field.required;
            CHECK(!field.name.empty() && !field.doc.empty());
        });
        CHECK(fields.size() == count);
        // A member can be made without arguments exactly if none is required.
        bool valid = true;
        try {
            Member{}.validate();
        } catch (const std::invalid_argument&) {
            valid = false;
        }
        CHECK(valid == !required);

        std::string typo = name;
        typo.insert(1, "#");
        CHECK(nearest_name(typo, names) == Member::name);
    });
    CHECK_THROWS(member_by_name<Kind>("thing", "no such"), "unknown thing 'no such'; did you mean");
}

void test_names() {
    CHECK(normalized_name("Leaky_ReLU") == "leakyrelu");
    CHECK(nearest_name("leaky-relu", names_of<Activation>()) == "LeakyReLU");
    CHECK(nearest_name("sigmiod", names_of<Activation>()) == "Sigmoid");
    CHECK(nearest_name("gaussian", {}).empty());
    CHECK_THROWS(member_by_name<Optimizer>("optimizer", "adan"),
                 "unknown optimizer 'adan'; did you mean 'Adam'? Known: SGD, Adam");
    CHECK_THROWS(throw_unknown_name("key", "units", {}), "unknown key 'units'; there is none");
    CHECK_THROWS(
        (throw_unknown_name("init", "he", {initializer_names.begin(), initializer_names.end()}), 0),
        "did you mean");
}

void test_defaults() {
    const auto adam = std::get<Adam>(member_by_name<Optimizer>("optimizer", "adam"));
    CHECK(adam.learning_rate == 0.001 && adam.beta1 == 0.9 && adam.beta2 == 0.999);
    const auto leaky = std::get<LeakyReLU>(member_by_name<Activation>("activation", "leaky_relu"));
    CHECK(leaky.negative_slope == 0.01);
    CHECK(std::get<std::string>(
              std::get<Normal>(member_by_name<Distribution>("distribution", "normal")).scale) ==
          "predicted");

    std::vector<std::string_view> names;
    std::vector<bool> required;
    for_each_field<Dense>([&](const auto& field) {
        names.push_back(field.name);
        required.push_back(field.required);
    });
    CHECK(names == std::vector<std::string_view>{"units", "activation", "bias", "init"});
    CHECK(required == std::vector<bool>{true, false, false, false});
}

template <class Member>
Member with(double Member::* field, double value) {
    Member member;
    member.*field = value;
    return member;
}

void test_validation() {
    const double infinity = std::numeric_limits<double>::infinity();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double wrong : {0.0, -1.0, infinity, nan}) {
        CHECK_THROWS((with(&Adam::learning_rate, wrong).validate(), 0), "learning_rate must be");
        CHECK_THROWS((with(&SGD::learning_rate, wrong).validate(), 0), "learning_rate must be");
        CHECK_THROWS((with(&Adam::epsilon, wrong).validate(), 0), "epsilon must be");
        CHECK_THROWS((with(&ELU::alpha, wrong).validate(), 0), "alpha must be");
        CHECK_THROWS((Normal{wrong}.validate(), 0), "scale must be");
    }
    for (const double wrong : {1.0, -0.1, nan}) {
        CHECK_THROWS((with(&Adam::beta1, wrong).validate(), 0), "beta1 must be in [0, 1); got");
        CHECK_THROWS((with(&Adam::beta2, wrong).validate(), 0), "beta2 must be in [0, 1); got");
        CHECK_THROWS((with(&SGD::momentum, wrong).validate(), 0), "momentum must be in [0, 1)");
    }
    for (const double wrong : {-0.01, infinity, nan}) {
        CHECK_THROWS((with(&LeakyReLU::negative_slope, wrong).validate(), 0), "negative_slope");
    }
    SGD nesterov;
    nesterov.nesterov = true;
    CHECK_THROWS((nesterov.validate(), 0), "momentum must be positive when nesterov=True; got 0");
    CHECK_THROWS((Normal{"learned"}.validate(), 0), "got 'learned'");
    CHECK_THROWS((Categorical{1}.validate(), 0), "classes must be at least 2; got 1");
    CHECK_THROWS((Dense{0}.validate(), 0), "units must be at least 1; got 0");
    CHECK_THROWS((Dense{1, Identity{}, true, "he_unifrom"}.validate(), 0),
                 "unknown init 'he_unifrom'; did you mean 'he_uniform'?");
    CHECK_THROWS((Residual{}.validate(), 0), "layers must be at least one layer");
}

}  // namespace

int main() {
    test_kind<Distribution>();
    test_kind<Activation>();
    test_kind<Optimizer>();
    test_kind<Layer>();
    test_names();
    test_defaults();
    test_validation();
    return finish();
}
