// What a distribution that holds another asks of it.
#include "likely/distributions.hpp"

namespace likely {
namespace {

std::string name_of(const Distribution& distribution) {
    return std::visit([](const auto& member) { return std::string(member.name); }, distribution);
}

/// The distribution with every raw parameter predicted.
DistributionPointer predicted(const Distribution& distribution) {
    return std::visit(
        [](const auto& member) {
            if constexpr (requires { member.all_predicted(); }) {
                return std::make_shared<const Distribution>(member.all_predicted());
            } else {
                return std::make_shared<const Distribution>(member);
            }
        },
        distribution);
}

}  // namespace

void Mixture::validate() const {
    require(component != nullptr, "component", "a distribution", "null");
    std::string allowed;
    for_each_member<Distribution>([&](auto type) {
        using Member = typename decltype(type)::type;
        if constexpr (FixedFamily<Member>) {
            allowed += (allowed.empty() ? "" : ", ") + std::string(Member::name);
        }
    });
    const bool fits =
        std::visit([]<class Member>(const Member&) { return FixedFamily<Member>; }, *component);
    require(fits, "component", "one of " + allowed + " (a mixture holds no other mixture)",
            name_of(*component));
    std::visit([](const auto& member) { member.validate(); }, *component);
    require(k >= 2, "k", "at least 2", k);
}

Mixture Mixture::all_predicted() const { return {predicted(*component), k}; }

}  // namespace likely
