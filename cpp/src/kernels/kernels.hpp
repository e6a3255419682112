// What each file of a kernel set puts into the table. Files are compiled once for float and once
// for double (LIKELY_NUMBER), so that no translation unit is long.
#pragma once

#include "table.hpp"

namespace likely::kernels_detail {

template <class T>
void fill_network(Kernels<T>& table);
template <class T>
void fill_likelihood(Kernels<T>& table);
/// Numbers of scratch memory that the likelihood needs.
template <class T>
std::int64_t likelihood_scratch_size(const Plan& plan);
template <class T>
void fill_update(Kernels<T>& table);

}  // namespace likely::kernels_detail
