// Derivatives by hand inside a density.
//
// Why: forward mode differentiates every operation of a formula that was chosen for its value.
// Where the derivative is a difference of what the value has as two terms, y - mean say, it cancels
// or costs work, and is better written down.
//
// Contract: a density computes with plain numbers and hands over its value and its derivatives
// once, at the end. For plain numbers the derivatives are never computed.
#pragma once

namespace likely::detail {

/// The number that a dual number is at; a plain number itself.
template <class V>
auto plain(const V& x) {
    if constexpr (requires { x.derivative; }) {
        return x.value;
    } else {
        return x;
    }
}

/// f(x) from its value and its derivative there.
template <class V, class Plain>
V chained(const V& x, Plain value, Plain slope) {
    if constexpr (requires { x.derivative; }) {
        return V::chain(x, value, slope);
    } else {
        return value;
    }
}

/// f(a, b) from its value and its two partial derivatives.
template <class V, class Plain>
V chained(const V& a, const V& b, Plain value, Plain by_a, Plain by_b) {
    if constexpr (requires { a.derivative; }) {
        return V::chain(a, b, value, by_a, by_b);
    } else {
        return value;
    }
}

}  // namespace likely::detail
