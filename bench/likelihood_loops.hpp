// The likelihoods that bench_likelihood.py holds likely against: scalar loops with libm in float.
//
// Why: this is what one writes by hand, sample after sample, with gradients derived on paper. They
// are as short as they can be: raw parameters are not held to bounds and nothing is done about
// numbers that cancel, so they are good for the moderate numbers of the benchmark only.
//
// Contract: raw parameters as in docs/conventions.md. A loop returns the sum of the losses and
// writes gradient_scale times its derivatives. A sample's function gets the target and its raw
// parameters, returns its loss and writes the derivatives.
#pragma once

#include <math.h>

#include <algorithm>
#include <cstdint>

namespace loops {

struct Rows {
    std::int64_t count;
    const float* y;
    const float* raw;
    const float* shared;
    float gradient_scale;
    float* d_raw;
    float* d_shared;
};

template <int raw_count, int targets = 1, class Sample>
double over(const Rows& rows, Sample sample) {
    double total = 0;
    for (std::int64_t i = 0; i < rows.count; ++i) {
        float* const d = rows.d_raw + i * raw_count;
        total += sample(rows.y + i * targets, rows.raw + i * raw_count, d);
        for (int k = 0; k < raw_count; ++k) d[k] *= rows.gradient_scale;
    }
    return total;
}

constexpr float half_log_two_pi = 0.918938533f, log_two = 0.693147181f, log_pi = 1.144729886f;

inline float log_gamma(float x) {
    int sign;
    return lgammaf_r(x, &sign);
}

/// The recurrence up to 6, then the asymptotic series (Abramowitz and Stegun, 6.3.5 and 6.3.18).
inline float digamma(float x) {
    float result = 0;
    for (; x < 6; x += 1) result -= 1 / x;
    const float inverse = 1 / x, square = inverse * inverse;
    return result + logf(x) - 0.5f * inverse -
           square * (1 / 12.0f - square * (1 / 120.0f - square * (1 / 252.0f)));
}

/// exp(-x) I0(x) and I1(x) / I0(x) for x > 0 (Abramowitz and Stegun, 9.8.1 to 9.8.4).
struct Bessel {
    float scaled_i0, ratio;
};
inline Bessel bessel(float x) {
    if (x < 3.75f) {
        const float t = (x / 3.75f) * (x / 3.75f);
        const float i0 =
            1 + t * (3.5156229f +
                     t * (3.0899424f +
                          t * (1.2067492f + t * (0.2659732f + t * (0.0360768f + t * 0.0045813f)))));
        const float i1 =
            x * (0.5f + t * (0.87890594f +
                             t * (0.51498869f +
                                  t * (0.15084934f +
                                       t * (0.02658733f + t * (0.00301532f + t * 0.00032411f))))));
        return {expf(-x) * i0, i1 / i0};
    }
    const float t = 3.75f / x;
    const float i0 =
        0.39894228f +
        t * (0.01328592f +
             t * (0.00225319f +
                  t * (-0.00157565f +
                       t * (0.00916281f +
                            t * (-0.02057706f +
                                 t * (0.02635537f + t * (-0.01647633f + t * 0.00392377f)))))));
    const float i1 =
        0.39894228f +
        t * (-0.03988024f +
             t * (-0.00362018f +
                  t * (0.00163801f +
                       t * (-0.01031555f +
                            t * (0.02282967f +
                                 t * (-0.02895312f + t * (0.01787654f + t * -0.00420059f)))))));
    return {i0 / sqrtf(x), i1 / i0};
}

struct Soft {
    float plus, sigmoid;  ///< log(1 + exp(x)) and its derivative
};
inline Soft soft(float x) {
    const float e = expf(-fabsf(x)), inverse = 1 / (1 + e);
    return {fmaxf(x, 0) + logf(1 + e), x > 0 ? inverse : e * inverse};
}

inline double normal(const Rows& rows) {
    return over<2>(rows, [](const float* y, const float* raw, float* d) {
        const float inverse = expf(-raw[1]), r = (*y - raw[0]) * inverse;
        d[0] = -r * inverse;
        d[1] = 1 - r * r;
        return 0.5f * r * r + raw[1] + half_log_two_pi;
    });
}

inline double laplace(const Rows& rows) {
    return over<2>(rows, [](const float* y, const float* raw, float* d) {
        const float inverse = expf(-raw[1]), r = (*y - raw[0]) * inverse;
        d[0] = r > 0 ? -inverse : r < 0 ? inverse : 0;
        d[1] = 1 - fabsf(r);
        return fabsf(r) + raw[1] + log_two;
    });
}

inline double logistic(const Rows& rows) {
    return over<2>(rows, [](const float* y, const float* raw, float* d) {
        const float inverse = expf(-raw[1]), r = (*y - raw[0]) * inverse;
        const float e = expf(-fabsf(r)), slope = copysignf((1 - e) / (1 + e), r);
        d[0] = -slope * inverse;
        d[1] = 1 - slope * r;
        return fabsf(r) + 2 * logf(1 + e) + raw[1];
    });
}

inline double log_normal(const Rows& rows) {
    return over<2>(rows, [](const float* y, const float* raw, float* d) {
        const float log_y = logf(*y), inverse = expf(-raw[1]), r = (log_y - raw[0]) * inverse;
        d[0] = -r * inverse;
        d[1] = 1 - r * r;
        return 0.5f * r * r + raw[1] + half_log_two_pi + log_y;
    });
}

inline double exponential(const Rows& rows) {
    return over<1>(rows, [](const float* y, const float* raw, float* d) {
        const float z = *y * expf(-raw[0]);
        d[0] = 1 - z;
        return z + raw[0];
    });
}

inline double weibull(const Rows& rows) {
    return over<2>(rows, [](const float* y, const float* raw, float* d) {
        const float log_y = logf(*y), k = expf(raw[1]), z = k * (log_y - raw[0]), e = expf(z);
        d[0] = k * (1 - e);
        d[1] = (e - 1) * z - 1;
        return e - z + log_y - raw[1];
    });
}

inline double bernoulli(const Rows& rows) {
    return over<1>(rows, [](const float* y, const float* raw, float* d) {
        const Soft s = soft(raw[0]);
        d[0] = s.sigmoid - *y;
        return s.plus - *y * raw[0];
    });
}

template <int classes>
double categorical(const Rows& rows) {
    return over<classes>(rows, [](const float* y, const float* raw, float* d) {
        const float largest = *std::max_element(raw, raw + classes);
        float sum = 0;
        for (int k = 0; k < classes; ++k) sum += d[k] = expf(raw[k] - largest);
        for (int k = 0; k < classes; ++k) d[k] /= sum;
        const int label = static_cast<int>(*y);
        d[label] -= 1;
        return largest + logf(sum) - raw[label];
    });
}

/// What depends on the learned constants alone is computed once.
template <int levels>
double ordinal(const Rows& rows) {
    float cut[levels - 1] = {rows.shared[0]}, gap[levels - 1] = {1}, d_cut[levels - 1] = {};
    for (int k = 1; k < levels - 1; ++k) {
        gap[k] = expf(rows.shared[k]);
        cut[k] = cut[k - 1] + gap[k];
    }
    const double total = over<1>(rows, [&](const float* y, const float* raw, float* d) {
        const int label = static_cast<int>(*y);
        const auto below = [&](int k) { return 1 / (1 + expf(raw[0] - cut[k])); };
        const float upper = label < levels - 1 ? below(label) : 1;
        const float lower = label > 0 ? below(label - 1) : 0;
        const float p = upper - lower;
        const float by_upper = upper * (1 - upper) / p, by_lower = lower * (1 - lower) / p;
        d[0] = by_upper - by_lower;
        if (label < levels - 1) d_cut[label] -= by_upper;
        if (label > 0) d_cut[label - 1] += by_lower;
        return -logf(p);
    });
    float sum = 0;
    for (int k = levels - 1; k-- > 0;) {
        sum += d_cut[k] * rows.gradient_scale;
        rows.d_shared[k] = sum * gap[k];
    }
    return total;
}

/// Five levels: raw parameter 0 is the middle quantile.
inline double quantiles(const Rows& rows, const float (&level)[5]) {
    return over<5>(rows, [&](const float* y, const float* raw, float* d) {
        Soft step[5];
        for (int k = 1; k < 5; ++k) step[k] = soft(raw[k]);
        float q[5], slope[5], loss = 0;
        q[2] = raw[0];
        q[3] = q[2] + step[3].plus;
        q[4] = q[3] + step[4].plus;
        q[1] = q[2] - step[2].plus;
        q[0] = q[1] - step[1].plus;
        for (int k = 0; k < 5; ++k) {
            slope[k] = (*y < q[k] ? 1 : 0) - level[k];
            loss -= slope[k] * (*y - q[k]);
        }
        d[0] = slope[0] + slope[1] + slope[2] + slope[3] + slope[4];
        d[1] = -slope[0] * step[1].sigmoid;
        d[2] = -(slope[0] + slope[1]) * step[2].sigmoid;
        d[3] = (slope[3] + slope[4]) * step[3].sigmoid;
        d[4] = slope[4] * step[4].sigmoid;
        return loss;
    });
}

template <int n>
double normal_mixture(const Rows& rows) {
    return over<3 * n>(rows, [](const float* y, const float* raw, float* d) {
        float joint[n], inverse[n], r[n], weight[n], weights = 0, sum = 0;
        for (int j = 0; j < n; ++j) {
            const float *const loc = raw + n + 2 * j, *const log_scale = loc + 1;
            inverse[j] = expf(-*log_scale);
            r[j] = (*y - *loc) * inverse[j];
            joint[j] = raw[j] - 0.5f * r[j] * r[j] - *log_scale;
        }
        const float top = *std::max_element(joint, joint + n);
        const float top_weight = *std::max_element(raw, raw + n);
        for (int j = 0; j < n; ++j) {
            sum += joint[j] = expf(joint[j] - top);
            weights += weight[j] = expf(raw[j] - top_weight);
        }
        for (int j = 0; j < n; ++j) {
            const float share = joint[j] / sum;
            d[j] = weight[j] / weights - share;
            d[n + 2 * j] = -share * r[j] * inverse[j];
            d[n + 2 * j + 1] = share * (1 - r[j] * r[j]);
        }
        return top_weight + logf(weights) - top - logf(sum) + half_log_two_pi;
    });
}

template <int n>
double multivariate_normal(const Rows& rows) {
    return over<n + n*(n + 1) / 2, n>(rows, [](const float* y, const float* raw, float* d) {
        const auto at = [](int t, int s) { return n + t * (t + 1) / 2 + s; };
        float z[n], u[n], inverse[n], loss = n * half_log_two_pi;
        for (int t = 0; t < n; ++t) {
            float rest = y[t] - raw[t];
            for (int s = 0; s < t; ++s) rest -= raw[at(t, s)] * z[s];
            inverse[t] = expf(-raw[at(t, t)]);
            z[t] = rest * inverse[t];
            loss += 0.5f * z[t] * z[t] + raw[at(t, t)];
        }
        for (int t = n; t-- > 0;) {
            float rest = z[t];
            for (int s = t + 1; s < n; ++s) rest -= raw[at(s, t)] * u[s];
            u[t] = rest * inverse[t];
            d[t] = -u[t];
            for (int s = 0; s < t; ++s) d[at(t, s)] = -u[t] * z[s];
            d[at(t, t)] = 1 - rest * z[t];
        }
        return loss;
    });
}

inline double student_t(const Rows& rows) {
    return over<3>(rows, [](const float* y, const float* raw, float* d) {
        const float inverse = expf(-raw[1]), r = (*y - raw[0]) * inverse, square = r * r;
        const float excess = expf(raw[2]), n = 1 + excess, upper = 0.5f * (n + 1), lower = 0.5f * n;
        const float tail = logf(1 + square / n), slope = (n + 1) / (n + square);
        d[0] = -slope * r * inverse;
        d[1] = 1 - slope * square;
        d[2] = -0.5f * excess * (digamma(upper) - digamma(lower) - tail + (slope * square - 1) / n);
        return log_gamma(lower) - log_gamma(upper) + 0.5f * (log_pi + logf(n)) + upper * tail +
               raw[1];
    });
}

inline double gamma(const Rows& rows) {
    return over<2>(rows, [](const float* y, const float* raw, float* d) {
        const float log_y = logf(*y), x = *y * expf(-raw[0]), a = expf(raw[1]);
        const float distance = raw[1] + log_y - raw[0];
        d[0] = a * (1 - x);
        d[1] = a * (digamma(a) + x - 1 - distance);
        return log_gamma(a) + a * (x - distance) + log_y;
    });
}

inline double beta(const Rows& rows) {
    return over<2>(rows, [](const float* y, const float* raw, float* d) {
        const float log_y = logf(*y), log_rest = logf(1 - *y), n = expf(raw[1]);
        const float mean = 1 / (1 + expf(-raw[0])), a = mean * n, b = n - a;
        const float shared = digamma(n);
        const float by_a = digamma(a) - shared - log_y, by_b = digamma(b) - shared - log_rest;
        d[0] = (by_a - by_b) * a * (1 - mean);
        d[1] = by_a * a + by_b * b;
        return log_gamma(a) + log_gamma(b) - log_gamma(n) - (a - 1) * log_y - (b - 1) * log_rest;
    });
}

inline double von_mises(const Rows& rows) {
    return over<2>(rows, [](const float* y, const float* raw, float* d) {
        const float angle = *y - raw[0], k = expf(raw[1]), cosine = cosf(angle);
        const Bessel of_k = bessel(k);
        d[0] = -k * sinf(angle);
        d[1] = k * (of_k.ratio - cosine);
        return k * (1 - cosine) + logf(of_k.scaled_i0) + 2 * half_log_two_pi;
    });
}

inline double poisson(const Rows& rows) {
    return over<1>(rows, [](const float* y, const float* raw, float* d) {
        const float mean = expf(raw[0]);
        d[0] = mean - *y;
        return mean - *y * raw[0] + log_gamma(*y + 1);
    });
}

inline double negative_binomial(const Rows& rows) {
    return over<2>(rows, [](const float* y, const float* raw, float* d) {
        const float m = expf(raw[0]), r = expf(raw[1]), log_sum = logf(r + m);
        const float share = (*y + r) / (r + m);
        d[0] = m * share - *y;
        d[1] = r * (digamma(r) - digamma(*y + r) - raw[1] - 1 + log_sum + share);
        return log_gamma(*y + 1) + log_gamma(r) - log_gamma(*y + r) - r * (raw[1] - log_sum) -
               *y * (raw[0] - log_sum);
    });
}

inline double zero_inflated_poisson(const Rows& rows) {
    return over<2>(rows, [](const float* y, const float* raw, float* d) {
        const float mean = expf(raw[1]);
        if (*y > 0) {
            const Soft gate = soft(raw[0]);
            d[0] = gate.sigmoid;
            d[1] = mean - *y;
            return gate.plus + mean - *y * raw[1] + log_gamma(*y + 1);
        }
        const float gate = 1 / (1 + expf(-raw[0])), none = expf(-mean);
        const float p = gate + (1 - gate) * none;
        d[0] = -gate * (1 - gate) * (1 - none) / p;
        d[1] = (1 - gate) * none * mean / p;
        return -logf(p);
    });
}

/// The constant of the number of trials is computed once.
template <int n>
double binomial(const Rows& rows) {
    const float log_n = log_gamma(n + 1);
    return over<1>(rows, [&](const float* y, const float* raw, float* d) {
        const Soft s = soft(raw[0]);
        d[0] = n * s.sigmoid - *y;
        return log_gamma(*y + 1) + log_gamma(n + 1 - *y) - log_n + n * s.plus - *y * raw[0];
    });
}

}  // namespace loops
