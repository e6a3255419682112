// The first lanes of a register, from memory and to it, where a row ends inside of a register.
#pragma once

#include <cstdint>
#include <type_traits>

#include "lanes.hpp"

namespace likely {

#if defined(__AVX512F__)
inline constexpr bool masks_are_free = true;
#else
inline constexpr bool masks_are_free = false;
#endif

/// A register without a mask, where a Tail may stand too.
template <class T>
struct Whole {
    explicit Whole(std::int64_t) {}
    Lanes<T> load(const T* from) const { return Lanes<T>::load(from); }
    void store(Lanes<T> lanes, T* to) const { lanes.store(to); }
};

/// The first `count` lanes, 1 to all of them; the others are loaded as 0 and not stored.
template <class T>
class Tail {
  public:
    static constexpr bool single = sizeof(T) == 4;
    using V = Lanes<T>;

#if defined(__AVX512F__)
    explicit Tail(std::int64_t count) : mask_(static_cast<Mask>((1U << count) - 1)) {}
    V load(const T* from) const {
        if constexpr (single) {
            return V::from_packet(_mm512_maskz_loadu_ps(mask_, from));
        } else {
            return V::from_packet(_mm512_maskz_loadu_pd(mask_, from));
        }
    }
    void store(V lanes, T* to) const {
        if constexpr (single) {
            _mm512_mask_storeu_ps(to, mask_, lanes.packet());
        } else {
            _mm512_mask_storeu_pd(to, mask_, lanes.packet());
        }
    }

  private:
    using Mask = std::conditional_t<single, __mmask16, __mmask8>;
    Mask mask_;
#elif defined(__AVX2__)
    explicit Tail(std::int64_t count) {
        if constexpr (single) {
            mask_ = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
                                       _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
        } else {
            mask_ = _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
        }
    }
    V load(const T* from) const {
        if constexpr (single) {
            return V::from_packet(_mm256_maskload_ps(from, mask_));
        } else {
            return V::from_packet(_mm256_maskload_pd(from, mask_));
        }
    }
    void store(V lanes, T* to) const {
        if constexpr (single) {
            _mm256_maskstore_ps(to, mask_, lanes.packet());
        } else {
            _mm256_maskstore_pd(to, mask_, lanes.packet());
        }
    }

  private:
    __m256i mask_;
#else
    explicit Tail(std::int64_t count) : count_(count) {}
    V load(const T* from) const { return V::load_partial(from, count_, T(0)); }
    void store(V lanes, T* to) const { lanes.store_partial(to, count_); }

  private:
    std::int64_t count_;
#endif
};

}  // namespace likely
