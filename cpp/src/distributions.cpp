// What a distribution that holds another asks of it.
#include "likely/distributions.hpp"

namespace likely {
namespace {

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

/// Throws unless `held` is a valid distribution for which `allows` is true; `allows` takes a
/// std::type_identity.
template <class Allows>
void check_held(const std::string& argument, const DistributionPointer& held, Allows allows) {
    require(held != nullptr, argument, "a distribution", "null");
    std::string names;
    for_each_member<Distribution>([&](auto type) {
        if (allows(type)) {
            names += (names.empty() ? "" : ", ") + std::string(decltype(type)::type::name);
        }
    });
    std::visit(
        [&]<class Member>(const Member& member) {
            require(allows(std::type_identity<Member>{}), argument, "one of " + names,
                    Member::name);
            member.validate();
        },
        *held);
}

}  // namespace

void Mixture::validate() const {
    check_held("component", component,
               []<class Member>(std::type_identity<Member>) { return FixedFamily<Member>; });
    require(k >= 2, "k", "at least 2", k);
}

Mixture Mixture::all_predicted() const { return {predicted(*component), k}; }

void ZeroInflated::validate() const {
    check_held("base", base,
               []<class Member>(std::type_identity<Member>) { return CountFamily<Member>; });
}

}  // namespace likely
