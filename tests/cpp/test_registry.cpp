// One list a kind: unique names, construction by name in any spelling, errors that help, fields.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "check.hpp"
#include "likely/distributions.hpp"
#include "likely/layers.hpp"
#include "likely/optimizers.hpp"
#include "likely/schedules.hpp"
#include "likely/stabilizers.hpp"

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
    CHECK(std::holds_alternative<BetaWeighting>(member_by_name<Stabilizer>("what", "Beta")));
    CHECK(std::holds_alternative<NaturalGradient>(member_by_name<Stabilizer>("what", "natural")));
    CHECK_THROWS(member_by_name<Optimizer>("optimizer", "adan"),
                 "unknown optimizer 'adan'; did you mean 'Adam'? Known: SGD, Adam, AdamW,");
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

template <class Member, class Value>
Member with(Value Member::* field, Value value) {
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
        CHECK_THROWS((with(&RMSprop::learning_rate, wrong).validate(), 0), "learning_rate must be");
        CHECK_THROWS((with(&RMSprop::epsilon, wrong).validate(), 0), "epsilon must be");
        CHECK_THROWS((with(&Adagrad::learning_rate, wrong).validate(), 0), "learning_rate must be");
        CHECK_THROWS((with(&Adagrad::epsilon, wrong).validate(), 0), "epsilon must be");
        CHECK_THROWS((AdamW{with(&Adam::learning_rate, wrong)}.validate(), 0), "learning_rate");
        CHECK_THROWS((with(&InverseScaling::power, wrong).validate(), 0), "power must be");
        CHECK_THROWS((with(&ELU::alpha, wrong).validate(), 0), "alpha must be");
        CHECK_THROWS((Normal{wrong}.validate(), 0), "scale must be");
        CHECK_THROWS((NaturalGradient{wrong}.validate(), 0), "damping must be");
    }
    for (const double wrong : {1.0, -0.1, nan}) {
        CHECK_THROWS((with(&Adam::beta1, wrong).validate(), 0), "beta1 must be in [0, 1); got");
        CHECK_THROWS((with(&Adam::beta2, wrong).validate(), 0), "beta2 must be in [0, 1); got");
        CHECK_THROWS((with(&SGD::momentum, wrong).validate(), 0), "momentum must be in [0, 1)");
        CHECK_THROWS((with(&RMSprop::decay, wrong).validate(), 0), "decay must be in [0, 1)");
    }
    for (const double wrong : {-0.01, infinity, nan}) {
        CHECK_THROWS((with(&LeakyReLU::negative_slope, wrong).validate(), 0), "negative_slope");
        CHECK_THROWS((with(&AdamW::weight_decay, wrong).validate(), 0), "weight_decay must be");
        CHECK_THROWS((with(&CosineDecay::warmup, wrong).validate(), 0), "warmup must be");
        CHECK_THROWS((with(&ReduceOnPlateau::threshold, wrong).validate(), 0), "threshold must be");
    }
    for (const double wrong : {-0.01, 1.01, nan}) {
        CHECK_THROWS((StepDecay{2, wrong}.validate(), 0), "factor must be in (0, 1]; got");
        CHECK_THROWS((ExponentialDecay{wrong}.validate(), 0), "factor must be in (0, 1]; got");
        CHECK_THROWS((ReduceOnPlateau{wrong}.validate(), 0), "factor must be in (0, 1); got");
        CHECK_THROWS((with(&CosineDecay::final, wrong).validate(), 0), "final must be in [0, 1]");
        CHECK_THROWS((with(&OneCycle::warmup, wrong).validate(), 0), "warmup must be in (0, 1)");
        CHECK_THROWS((with(&OneCycle::start, wrong).validate(), 0), "start must be in [0, 1]");
        CHECK_THROWS((BetaWeighting{wrong}.validate(), 0), "beta must be in [0, 1]");
        CHECK_THROWS((with(&OneCycle::final, wrong).validate(), 0), "final must be in [0, 1]");
        CHECK_THROWS((with(&ReduceOnPlateau::minimum, wrong).validate(), 0), "minimum must be in");
    }
    CHECK_THROWS((Warmup{0}.validate(), 0), "epochs must be at least 1, or none; got 0");
    CHECK_THROWS((StepDecay{2, 0}.validate(), 0), "factor must be");
    CHECK_THROWS((ExponentialDecay{0}.validate(), 0), "factor must be");
    CHECK_THROWS((ReduceOnPlateau{0}.validate(), 0), "factor must be");
    CHECK_THROWS((ReduceOnPlateau{1}.validate(), 0), "factor must be");
    CHECK_THROWS((OneCycle{0}.validate(), 0), "warmup must be");
    CHECK_THROWS((OneCycle{1}.validate(), 0), "warmup must be");
    CHECK_THROWS((StepDecay{}.validate(), 0), "every must be at least 1; got 0");
    CHECK_THROWS((ReduceOnPlateau{0.1, 0}.validate(), 0), "patience must be at least 1; got 0");
    CHECK_THROWS((CosineDecay{0, 0, 0}.validate(), 0), "epochs must be at least 1, or none; got 0");
    CHECK_THROWS((OneCycle{0.3, 0, 0, -1}.validate(), 0), "epochs must be at least 1, or none");
    CHECK_THROWS((CosineDecay{5, 0, 5}.validate(), 0), "warmup must be less than the 5 epochs");
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

void test_sequences() {
    const auto constant = std::make_shared<const Schedule>(Constant{});
    const auto refused = [](std::vector<SchedulePointer> schedules, std::vector<std::int64_t> at,
                            const std::string& words) {
        const Sequence sequence{std::move(schedules), std::move(at)};
        CHECK_THROWS((sequence.validate(), 0), words);
    };
    refused({}, {}, "schedules must be at least one schedule");
    refused({constant, nullptr}, {1}, "schedules[1] must be a schedule; got 'null'");
    refused({std::make_shared<const Schedule>(Sequence{{constant}, {}})}, {}, "'Sequence'");
    refused({std::make_shared<const Schedule>(StepDecay{})}, {}, "every must be");
    refused({constant}, {1}, "at must be of length 0, an epoch for each schedule but the first");
    refused({constant, constant}, {}, "at must be of length 1");
    refused({constant, constant}, {0}, "at must be increasing, here more than 0; got 0");
    refused({constant, constant, constant}, {4, 4}, "more than 4; got 4");
    Sequence{{constant, constant, constant}, {1, 2}}.validate();
}

}  // namespace

int main() {
    test_kind<Distribution>();
    test_kind<Activation>();
    test_kind<Optimizer>();
    test_kind<Schedule>();
    test_kind<Stabilizer>();
    test_kind<Layer>();
    test_names();
    test_defaults();
    test_validation();
    test_sequences();
    return finish();
}
