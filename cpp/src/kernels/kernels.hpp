// What each file of a kernel set puts into the table. Files are compiled once for float and once
// for double (LIKELY_NUMBER), so that no translation unit is long; shuffle.cpp, which knows no
// number type, once.
#pragma once

#include "table.hpp"

namespace likely::kernels_detail {

void shuffle(const Philox& random, std::int64_t rows, std::int64_t* order);

template <class T>
void fill_gather(Kernels<T>& table);
template <class T>
void fill_linear(Kernels<T>& table);
template <class T>
void fill_sample_steps(Kernels<T>& table);
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
