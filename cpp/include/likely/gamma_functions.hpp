// What the densities of the gamma family, StudentT and VonMises need of the gamma and Bessel
// functions, and digamma, trigamma and the beta function for entropies and Fisher information.
//
// Why: differences of lgamma and its derivatives cancel; with them a gradient in single precision
// is all wrong from shape parameters of about 1000 on (Loader 2000).
//
// Contract: as in special_functions.hpp. Worst errors, counted as there: stirling_rest 4.6 and 4.5,
// 3.1 and 2.6 (a from 1e-27 to 1e14), lgamma_half_ratio 3.9 and 3 (of at least 1/2: it has a zero),
// 1.7 and 1.1, log_bessel_i0e 1.9 and 1.2, 2.1 and 2 (k from 1e-14 to 1e13); in double precision
// digamma 7.7 (of at least 1/2), trigamma 0.93, lbeta 1.5 (of at least 1).
#pragma once

#include <cmath>
#include <numbers>

#include "likely/primitives.hpp"
#include "likely/special_functions.hpp"

namespace likely {

namespace detail {

/// With S the function: S(a) = S(a + 1) + g(a), g(a) = (a + 1/2) log(1 + 1/a) - 1. In
/// y = 1 / (2 a + 1) that is atanh(y)/y - 1, and g' = 2 atanh(y) - 2 y / (1 - y^2).
template <class V>
ValueAndSlope<V> stirling_rest(V a) {
    // S(a + 1) / u and -S'(a + 1) / u^2 as functions of u = 1 / (a + 3/2), for all a >= 0.
    // Degrees 8 and 19, relative errors 3e-08 and 7.8e-17.
    static constexpr double rest_single[] = {0.0833333358,  0.0416666605,   0.0180558283,
                                             0.00624547107, 0.00187419087,  0.000919517712,
                                             0.00170528423, -0.00105028111, 0.000672317459};
    static constexpr double rest_full[] = {
        0.08333333333333333,    0.041666666666665755,   0.018055555555726518,
        0.006249999987563861,   0.0018353179191498766,  0.001116061799252045,
        0.0010789854159204064,  0.00021637446392498266, -0.0007455882758555557,
        0.00014049116855505595, 0.0009634473630363105,  0.006171025571261006,
        -0.03329318862587881,   0.081205522502098,      -0.1275479947399823,
        0.13964722976269645,    -0.10725840276839774,   0.055567710270698734,
        -0.017525135494341263,  0.0025491399753172234};
    // Degrees 9 and 20, relative errors 3e-08 and 5.7e-17.
    static constexpr double slope_single[] = {
        0.0833333358,  0.0833333358,  0.0541664287,   0.0250030402,  0.00916846469,
        0.00656862278, 0.00880944915, -0.00308383442, 0.00124675769, 0.00178629812};
    static constexpr double slope_full[] = {
        0.08333333333333333,   0.08333333333333443,  0.05416666666633885,  0.02500000003804995,
        0.009176585009514729,  0.006696511907941632, 0.007550081558801488, 0.00176979994370092,
        -0.007095349625993418, 0.004238853582016248, -0.00518930419900438, 0.141515459544948,
        -0.6556232647724236,   1.706818033132324,    -3.0383182814838707,  3.9308817077911833,
        -3.7401533238262146,   2.569985414648346,    -1.2125391542824646,  0.3524877449478069,
        -0.047673373633082335};
    // (atanh(y)/y - 1) / y^2 as a function of y^2 up to 0.36, a down to 1/3.
    // Degrees 7 and 16, relative errors 4.2e-08 and 7.1e-17.
    static constexpr double atanh_single[] = {0.333333343, 0.200000718, 0.142815888,   0.112008236,
                                              0.081495218, 0.129121602, -0.0856625289, 0.262203008};
    static constexpr double atanh_full[] = {
        0.3333333333333333,  0.19999999999999582,  0.14285714285825682, 0.11111111099392783,
        0.09090909737853266, 0.07692286091758774,  0.06667140521861921, 0.05875157413000077,
        0.05341370321791286, 0.041406764233533934, 0.07991447535954807, -0.11797228073596938,
        0.5386151217997881,  -1.1049612533637045,  1.800598043220136,   -1.6760715471823215,
        0.8344891369800796};
    const V half = a + V(0.5), next = a + V(1), above = a + V(1.5);
    const V inverse = V(1) / (half * above);
    const V y = V(0.5) * (above * inverse), u = half * inverse;
    const V square = y * y;
    const V series = polynomial(square, atanh_single, atanh_full);
    const V both = V(1) / (a * next);
    const V logarithm = log1p(next * both);
    const V ratio = half * both;
    const auto far = square < V(0.36);
    const V shift = select(far, square * series, half * logarithm - V(1));
    const V shift_slope =
        select(far, V(2) * (y * (square * (series - half * ratio))), logarithm - ratio);
    return {shift + u * polynomial(u, rest_single, rest_full),
            shift_slope - u * (u * polynomial(u, slope_single, slope_full))};
}

/// With L the function: L(x) = L(x + 2) + log(x (x + 1) / ((x + 1/2) (x + 3/2))), and
/// L(x) = log(z)/2 + a function of 1/z^2 that vanishes as it, with z = x - 1/4.
template <class V>
ValueAndSlope<V> lgamma_half_ratio(V x) {
    // (L(x) - log(z)/2) z^2 and (L'(x) - 1/(2 z)) z^3 as functions of 1/z^2, for z from 9/4 on.
    // Degrees 5 and 15, relative errors 1.3e-08 and 4.4e-16.
    static constexpr double rest_single[] = {0.015625,       -0.0024413669, 0.00123854203,
                                             -0.00125981681, 0.00166982948, -0.00150636642};
    static constexpr double rest_full[] = {
        0.015624999999999993, -0.0024414062499819645, 0.0012410481688742646, -0.00132083743305552,
        0.002408883667563738, -0.006703654822538782,  0.026168594724127133,  -0.13061388616701236,
        0.735573832910537,    -4.079771501051168,     19.909302722541867,    -78.6156662106312,
        234.23835078936634,   -487.06338704385695,    624.9527191573706,     -370.7495521698725};
    // Degrees 6 and 16, relative errors 1e-08 and 1.2e-15.
    static constexpr double slope_single[] = {-0.03125,     0.00976554211, -0.00743905269,
                                              0.0103197908, -0.0197625328, 0.03504958,
                                              -0.0340090059};
    static constexpr double slope_full[] = {
        -0.031249999999999962, 0.009765624999883761, -0.0074462890027225575, 0.01056669910762654,
        -0.024088932466762965, 0.08045590870589232,  -0.3670306515821373,    2.1121754317548693,
        -13.734427072512641,   89.18913937547345,    -521.0778450538567,     2538.529519672817,
        -9732.269590133634,    27790.285068113502,   -55092.83616421237,     67315.52566629421,
        -38059.78029388394};
    const V z = x + V(1.75);
    const V half = x + V(0.5), next = x + V(1), above = x + V(1.5);
    const V whole = x * next, halves = half * above;
    const V inverse = V(1) / (whole * halves * z);
    const V w = whole * halves * inverse, all = z * inverse;
    const V ratio = whole * (whole * all);
    const V square = w * w;
    return {V(0.5) * log(z * (ratio * ratio)) + square * polynomial(square, rest_single, rest_full),
            w * (V(0.5) + square * polynomial(square, slope_single, slope_full)) +
                V(0.5) * all * (next * above + x * half)};
}

template <class V>
ValueAndSlope<V> log_bessel_i0e(V k) {
    // Up to 8: (I0(k) - 1) / k^2 as a function of k^2, and I0(k) - I1(k) of k - 2.
    // Degrees 8 and 15, relative errors 2.4e-08 and 1.3e-17.
    static constexpr double i0_single[] = {0.25,           0.0156249888,   0.00043403398,
                                           6.7804317e-06,  6.79380889e-08, 4.6459081e-10,
                                           2.59209819e-12, 6.23017043e-15, 5.54983961e-17};
    static constexpr double i0_full[] = {0.25,
                                         0.015625,
                                         0.0004340277777777777,
                                         6.7816840277778214e-06,
                                         6.781684027776396e-08,
                                         4.709502797094136e-10,
                                         2.4028075492019268e-12,
                                         9.385967017396568e-15,
                                         2.896903231688762e-17,
                                         7.242265328119495e-20,
                                         1.4963131307000537e-22,
                                         2.598282669511874e-25,
                                         3.8351348363784453e-28,
                                         4.989230804631474e-31,
                                         4.798674300808961e-34,
                                         8.083168343882885e-37};
    // Degrees 13 and 22, relative errors 4.1e-08 and 5.8e-17.
    static constexpr double difference_single[] = {
        0.688948452,    0.106369987,    0.119051993,     0.00675045419,  0.00601756154,
        0.000136376722, 0.000144481644, 9.87116209e-07,  2.05568062e-06, -1.5589972e-08,
        1.80565092e-08, 1.06997555e-09, -1.47414511e-10, 2.20971158e-11};
    static constexpr double difference_full[] = {
        0.6889484476987382,     0.10636997961992634,     0.1190521221147211,
        0.006750474552527961,   0.006017350296014149,    0.00013638976867470142,
        0.00014460219646977374, 9.577120585122674e-07,   2.0300008040471844e-06,
        -4.167703784674123e-09, 1.868225585336507e-08,   -1.327955679960479e-10,
        1.2137738911206153e-10, -1.2353624154520635e-12, 5.862772097680735e-13,
        -7.068038884296419e-15, 2.1825647901353705e-15,  -2.86846008950618e-17,
        6.771783879146939e-18,  -1.866747299745529e-19,  3.0665734887837954e-20,
        -1.452111609038708e-21, 7.401270351843303e-23};
    // From 8 on: sqrt(k) exp(-k) I0(k) and k (1 - I1(k) / I0(k)) as functions of 16/k - 1.
    // Degrees 5 and 22, relative errors 4.3e-08 and 6.9e-17.
    static constexpr double far_single[] = {0.402176499,    0.00336055551,  0.000136156043,
                                            1.11127183e-05, 1.63912966e-06, 3.62210983e-07};
    static constexpr double far_full[] = {
        0.4021765094450081,     0.0033605519836677504,  0.00013621607438985735,
        1.1143033800707508e-05, 1.4838476647254293e-06, 2.973596046880504e-07,
        8.872035006761847e-08,  3.9328893436266956e-08, 2.1566201572060963e-08,
        7.534357558678354e-09,  -6.849105388907503e-09, -1.3326100019597835e-08,
        -5.038783776444292e-09, 7.335980229091688e-09,  6.561404100320608e-09,
        -3.13464256495403e-09,  -4.577071943761076e-09, 1.1050677314973502e-09,
        2.19802364707122e-09,   -2.803434682482085e-10, -6.638051602567774e-10,
        3.6294555964317637e-11, 9.373749998390955e-11};
    // Degrees 6 and 26, relative errors 1.7e-08 and 8.1e-17.
    static constexpr double far_slope_single[] = {0.508355916,    0.00896354485,  0.000682745012,
                                                  8.83708126e-05, 1.73279077e-05, 6.10475126e-06,
                                                  2.04028834e-06};
    static constexpr double far_slope_full[] = {
        0.5083559131494412,      0.008963486348114282,    0.0006827867172308046,
        8.890591400673177e-05,   1.72017288642005e-05,    4.788503702254966e-06,
        1.9487921528770274e-06,  1.0910069643317878e-06,  5.864230560787556e-07,
        -3.9410861754984236e-09, -5.361614787261748e-07,  -5.277833225671675e-07,
        9.252083073446586e-08,   5.185017009350528e-07,   1.1327788958323618e-07,
        -4.0712151399299297e-07, -1.5639245435324714e-07, 2.891223652008696e-07,
        1.2592808341252897e-07,  -1.7227667563417273e-07, -7.34287859897827e-08,
        7.62077145292111e-08,    3.015510534927174e-08,   -2.1410616964925295e-08,
        -7.764069896956846e-09,  2.8108926759237238e-09,  9.363803325727987e-10};
    const auto near = k < V(8);
    const V held = min(V(8), k), t = V(1) / max(V(8), k);
    const V square = held * held;
    const V excess = square * polynomial(square, i0_single, i0_full);
    const V i0 = V(1) + excess;
    const V difference = polynomial(held - V(2), difference_single, difference_full);
    const V s = V(16) * t - V(1);
    const V far = polynomial(s, far_single, far_full);
    const V far_slope = t * polynomial(s, far_slope_single, far_slope_full);
    const V logarithm =
        log_sum(select(near, i0, far * (far * t)), select(near, excess - (i0 - V(1)), V(0)));
    return {select(near, logarithm - held, V(0.5) * logarithm),
            -select(near, difference / i0, far_slope)};
}

}  // namespace detail

/// lgamma(a) - ((a - 1/2) log(a) - a + log(2 pi) / 2), the remainder of Stirling's formula, for
/// a > 0. Its derivative is digamma(a) - log(a) + 1 / (2 a).
template <class V>
V stirling_rest(V a) {
    return detail::stirling_rest(a).value;
}

/// lgamma(x + 1/2) - lgamma(x), for x from 1/2 to 500.
template <class V>
V lgamma_half_ratio(V x) {
    return detail::lgamma_half_ratio(x).value;
}

/// log(exp(-k) I0(k)), I0 the modified Bessel function, for k >= 0. Its derivative is
/// I1(k) / I0(k) - 1.
template <class V>
V log_bessel_i0e(V k) {
    return detail::log_bessel_i0e(k).value;
}

/// The derivative of lgamma, for x > 0: by its recurrence, then its asymptotic series.
inline double digamma(double x) {
    double shift = 0;
    for (; x < 10; ++x) shift -= 1 / x;
    const double t = 1 / (x * x);
    static constexpr double bernoulli[] = {1.0 / 12,  -1.0 / 120,       1.0 / 252, -1.0 / 240,
                                           1.0 / 132, -691.0 / 32760.0, 1.0 / 12};
    return shift + (std::log(x) - 0.5 / x) - t * detail::polynomial(t, bernoulli);
}

namespace detail {

/// trigamma(x) - 1/x - 1/(2 x^2) for x > 0, without cancellation: by its recurrence, then its
/// asymptotic series.
inline double trigamma_rest(double x) {
    double shift = 0;
    for (; x < 16; ++x) {
        const double step = 1 / (x * (x + 1));
        shift += step * step / 2;
    }
    static constexpr double bernoulli[] = {1.0 / 6,  -1.0 / 30,       1.0 / 42, -1.0 / 30,
                                           5.0 / 66, -691.0 / 2730.0, 7.0 / 6};
    const double t = 1 / (x * x);
    return shift + t / x * polynomial(t, bernoulli);
}

}  // namespace detail

/// The second derivative of lgamma, for x > 0.
inline double trigamma(double x) { return detail::trigamma_rest(x) + 1 / x + 0.5 / (x * x); }

/// The logarithm of the beta function of a, b > 0.
inline double lbeta(double a, double b) {
    constexpr double normalizer = 0.91893853320467274178;  // log(2 pi) / 2
    return stirling_rest(a) + stirling_rest(b) - stirling_rest(a + b) + normalizer -
           0.5 * std::log(a) - a * std::log1p(b / a) - (b - 0.5) * std::log1p(a / b);
}

}  // namespace likely
