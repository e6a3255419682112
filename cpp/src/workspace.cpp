#include "workspace.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>
#include <string>

#include "halves.hpp"

namespace likely {
namespace {

constexpr std::int64_t most_chunk_rows = 1024;

/// A family's kernel sums the losses of so many rows at a time. Those of a fixed number of raw
/// parameters do little for each row, so that only large batches gain by being cut.
std::int64_t likelihood_block(const Distribution& distribution) {
    return visit_family([]<class Family>(const Family&) { return FixedFamily<Family> ? 256 : 64; },
                        distribution);
}

/// An allocation that failed, with what helps.
struct BatchTooLarge : std::bad_alloc {
    explicit BatchTooLarge(std::size_t bytes)
        : message("there is no memory for " + std::to_string(bytes >> 20) +
                  " MB of a batch's activations; lower batch_size") {}
    const char* what() const noexcept override { return message.c_str(); }
    std::string message;
};

template <class T>
AlignedVector<T> zeros(std::int64_t count) {
    try {
        return AlignedVector<T>(static_cast<std::size_t>(count), T(0));
    } catch (const std::bad_alloc&) {
        throw BatchTooLarge(static_cast<std::size_t>(count) * sizeof(T));
    }
}

}  // namespace

template <class T>
Workspace<T>::Workspace(const Model<T>& model, std::int64_t most_rows, int threads, bool whole,
                        const std::optional<Stabilizer>& stabilizer)
    : model_(model),
      plan_(model.plan()),
      kernels_(kernels<T>()),
      capacity_((std::clamp<std::int64_t>(most_rows, 1, whole ? most_rows : most_chunk_rows) + 15) /
                16 * 16),
      linear_(!stabilizer && kernels_.is_linear(plan_)),
      threads_(Scheduler(threads, multiply_adds(3, capacity_)).size()),
      evaluation_(threads_, multiply_adds(1, capacity_)),
      workspace_(zeros<T>(plan_.workspace_width * capacity_)),
      scratch_(zeros<T>(kernels_.scratch_size(plan_) * threads_)),
      x_(zeros<T>(plan_.inputs * capacity_)),
      y_(zeros<T>(plan_.targets * capacity_)),
      weight_(zeros<T>(capacity_)),
      event_(zeros<T>(plan_.targets * capacity_)),
      likelihood_block_(likelihood_block(plan_.distribution)),
      custom_likelihood_(plan_) {
    // Sums of derivatives by shared constants run over all rows; functions of the user want them.
    if (plan_.shared == none && !std::holds_alternative<Custom>(plan_.distribution))
        block_losses_.resize(static_cast<std::size_t>(capacity_ / likelihood_block_ + 1));
    if (stabilizer) stabilized_likelihood_.emplace(*stabilizer, plan_, capacity_);
    const Scaling& scaling = model.scaling();
    if (!scaling.fitted()) return;
    const auto copy = [](const std::vector<double>& mean, const std::vector<double>& scale,
                         std::vector<T>& means, std::vector<T>& inverse_scales) {
        for (const double value : mean) means.push_back(static_cast<T>(value));
        for (const double value : scale) inverse_scales.push_back(static_cast<T>(1 / value));
    };
    copy(scaling.input_mean, scaling.input_scale, input_mean_, input_inverse_scale_);
    copy(scaling.target_mean, scaling.target_scale, target_mean_, target_inverse_scale_);
    const auto data = [](const std::vector<T>& values) {
        return values.empty() ? nullptr : values.data();
    };
    standardization_ = {data(input_mean_), data(input_inverse_scale_), data(target_mean_),
                        data(target_inverse_scale_)};
    if (!has_density(plan_.distribution)) return;
    for (const double scale : scaling.target_scale) log_target_scale_.push_back(std::log(scale));
}

template <class T>
double Workspace<T>::multiply_adds(int passes, std::int64_t rows) const {
    return passes * static_cast<double>(plan_.multiply_adds) * static_cast<double>(rows);
}

template <class T>
Rows<T> Workspace<T>::chunk(const Rows<T>& rows, std::int64_t begin, std::int64_t count,
                            const Team& team) noexcept {
    const std::int64_t* order = rows.order ? rows.order + begin : nullptr;
    const std::int64_t ahead = rows.ahead > 0 ? rows.count - begin - count + rows.ahead : 0;
    const Standardization<T>& s = standardization_;
    struct Array {
        const T* source;
        std::int64_t columns;
        const T *mean, *inverse_scale;
        T* target;
        const T* Rows<T>::* result;
    };
    const Array x{rows.x,    plan_.inputs, s.input_mean, s.input_inverse_scale,
                  x_.data(), &Rows<T>::x};
    const Array others[] = {
        {rows.y, plan_.targets, s.target_mean, s.target_inverse_scale, y_.data(), &Rows<T>::y},
        {rows.weight, 1, nullptr, nullptr, weight_.data(), &Rows<T>::weight},
        {rows.event, plan_.targets, nullptr, nullptr, event_.data(), &Rows<T>::event}};
    const auto is_copied = [&](const Array& array) {
        return array.source && (order || array.mean);
    };
    Rows<T> result{};
    result.count = count;
    const auto place = [&](const Array& array) {
        if (!array.source) return;
        result.*array.result =
            is_copied(array) ? array.target : array.source + begin * array.columns;
    };
    const auto bring = [&](const Array& array, const Piece& columns, const Piece& part) {
        if (!is_copied(array)) return;
        const std::int64_t stride = array.columns, at = part.begin * stride + columns.begin;
        kernels_.gather(array.source + (order ? columns.begin : begin * stride + at),
                        columns.size(), stride, order ? order + part.begin : nullptr, part.size(),
                        ahead > 0 ? ahead + count - part.end : 0,
                        array.mean ? array.mean + columns.begin : nullptr,
                        array.mean ? array.inverse_scale + columns.begin : nullptr,
                        array.target + at);
    };
    const auto bring_others = [&](const Piece& part) {
        for (const Array& array : others) bring(array, {0, array.columns, part.member}, part);
    };
    place(x);
    for (const Array& array : others) place(array);
    if (!order && !s.input_mean && !s.target_mean) return result;
    if (const DenseStep* const halved = first_in_halves<T>(plan_, count, team)) {
        split_in_halves(*halved, count, team, [&](const Piece& inputs, const Piece& part) {
            bring(x, inputs, part);
            if (inputs.begin == 0) bring_others(part);
        });
    } else {
        team.split(count, row_unit, fewest_rows, [&](const Piece& part) {
            bring(x, {0, plan_.inputs, part.member}, part);
            bring_others(part);
        });
    }
    return result;
}

template <class T>
double Workspace<T>::unit_change(const Rows<T>& rows) const noexcept {
    if (log_target_scale_.empty()) return 0;
    if (!rows.weight && !rows.event) {
        return static_cast<double>(rows.count) *
               std::accumulate(log_target_scale_.begin(), log_target_scale_.end(), 0.0);
    }
    double sum = 0;
    for (std::int64_t i = 0; i < rows.count; ++i) {
        const std::int64_t at = rows.order ? rows.order[i] : i;
        double row = 0;
        for (std::int64_t t = 0; t < plan_.targets; ++t) {
            const bool seen = !rows.event || rows.event[at * plan_.targets + t] > T(0.5);
            if (seen) row += log_target_scale_[static_cast<std::size_t>(t)];
        }
        sum += rows.weight ? static_cast<double>(rows.weight[at]) * row : row;
    }
    return sum;
}

template <class T>
double Workspace<T>::loss(const Rows<T>& rows) {
    return pass(rows, 0, nullptr, nullptr, nullptr);
}

template <class T>
double Workspace<T>::loss_and_gradient(const Rows<T>& rows, double gradient_scale, T* gradient) {
    return pass(rows, gradient_scale, nullptr, gradient, nullptr);
}

template <class T>
double Workspace<T>::training_step(const Rows<T>& rows, double gradient_scale,
                                   TrainingPosition position, T* gradient, const Team& team) {
    return pass(rows, gradient_scale, &position, gradient, &team);
}

template <class T>
double Workspace<T>::likelihood(const Rows<T>& part, const TrainingPosition* position,
                                double gradient_scale, T* d_raw, T* d_shared, bool accumulate,
                                const Team& team) {
    const T* shared = plan_.shared == none ? nullptr : model_.parameters().data() + plan_.shared;
    const T* raw = workspace_.data() + plan_.raw * capacity_;
    const Targets<T> targets{part.y, part.weight, part.event, part.count};
    if (std::holds_alternative<Custom>(plan_.distribution))
        return custom_likelihood_(raw, part.y, part.weight, part.count, gradient_scale, d_raw);
    if (position && stabilized_likelihood_) {
        return (*stabilized_likelihood_)(position->epoch, shared, raw, targets, gradient_scale,
                                         scratch_.data(), d_raw, d_shared, accumulate);
    }
    if (block_losses_.empty()) {
        return kernels_.likelihood(plan_, shared, raw, targets, gradient_scale, scratch_.data(),
                                   d_raw, d_shared, accumulate);
    }
    const std::int64_t scratch_of_one = kernels_.scratch_size(plan_);
    team.split(part.count, likelihood_block_, likelihood_block_, [&](const Piece& piece) {
        for (std::int64_t i = piece.begin; i < piece.end; i += likelihood_block_) {
            const Targets<T> block{part.y + i * plan_.targets,
                                   part.weight ? part.weight + i : nullptr,
                                   part.event ? part.event + i * plan_.targets : nullptr,
                                   std::min(likelihood_block_, piece.end - i)};
            block_losses_[static_cast<std::size_t>(i / likelihood_block_)] = kernels_.likelihood(
                plan_, shared, raw + i * plan_.raw_width, block, gradient_scale,
                scratch_.data() + piece.member * scratch_of_one,
                d_raw ? d_raw + i * plan_.raw_width : nullptr, d_shared, accumulate);
        }
    });
    const auto blocks = (part.count + likelihood_block_ - 1) / likelihood_block_;
    return std::accumulate(block_losses_.begin(), block_losses_.begin() + blocks, 0.0);
}

template <class T>
double Workspace<T>::pass(const Rows<T>& rows, double gradient_scale, TrainingPosition* position,
                          T* gradient, const Team* given) {
    const T* parameters = model_.parameters().data();
    double total = unit_change(rows);
    if (linear_ && gradient) {
        return total + kernels_.linear(
                           {plan_, rows, standardization_, parameters, gradient_scale, gradient});
    }
    Mode<T> mode{model_.averages().data(), position};
    if (position && stabilized_likelihood_)
        mode.columns_below = stabilized_likelihood_->columns_below();
    T* d_shared = gradient && plan_.shared != none ? gradient + plan_.shared : nullptr;
    T* d_raw = gradient ? workspace_.data() + plan_.gradient_in * capacity_ : nullptr;
    for (std::int64_t begin = 0; begin < rows.count; begin += capacity_) {
        const std::int64_t count = std::min(capacity_, rows.count - begin);
        std::optional<Scheduler::Job> job;
        if (!given) job.emplace(evaluation_, count);
        const Team& team = given ? *given : job->team();
        const Rows<T> part = chunk(rows, begin, count, team);
        if (position) position->first_row = begin;
        kernels_.forward(plan_, mode, parameters, part.x, part.count, capacity_, workspace_.data(),
                         scratch_.data(), team);
        total += likelihood(part, position, gradient_scale, d_raw, d_shared, begin > 0, team);
        if (gradient) {
            kernels_.backward(plan_, mode, parameters, part.x, part.count, capacity_,
                              workspace_.data(), scratch_.data(), gradient, begin > 0, team);
        }
    }
    return total;
}

template <class T>
SampleResult Workspace<T>::sample_steps(const Rows<T>& rows, const SGD& optimizer,
                                        double learning_rate, T* parameters) const noexcept {
    SampleResult result = kernels_.sample_steps(
        {plan_, rows, standardization_, optimizer, learning_rate, parameters});
    Rows<T> made = rows;
    made.count = result.steps;
    result.loss += unit_change(made);
    return result;
}

/// Calls use(step, column, mean, variance) for every column of every batch normalisation; the
/// variance is the unbiased one.
template <class T>
template <class Use>
void Workspace<T>::for_moments(std::int64_t rows, Use&& use) const noexcept {
    const auto count = static_cast<double>(rows);
    for (const Step& any : plan_.steps) {
        const auto* step = std::get_if<BatchNormStep>(&any);
        if (!step) continue;
        const T* mean = workspace_.data() + step->moments * capacity_;
        const T* variance = mean + step->width;
        for (std::int64_t j = 0; j < step->width; ++j) {
            use(*step, j, static_cast<double>(mean[j]),
                static_cast<double>(variance[j]) * count / (count - 1));
        }
    }
}

template <class T>
bool Workspace<T>::has_finite_moments(std::int64_t rows) const noexcept {
    bool finite = true;
    for_moments(rows, [&](const BatchNormStep&, std::int64_t, double mean, double variance) {
        finite &= std::isfinite(mean) && std::isfinite(static_cast<T>(variance));
    });
    return finite;
}

template <class T>
void Workspace<T>::move_averages(std::int64_t rows, T* averages) const noexcept {
    for_moments(rows, [&](const BatchNormStep& step, std::int64_t j, double mean, double variance) {
        const auto move = [&](T& average, double batch) {
            average = static_cast<T>(step.momentum * static_cast<double>(average) +
                                     (1 - step.momentum) * batch);
        };
        move(averages[step.mean + j], mean);
        move(averages[step.variance + j], variance);
    });
}

template class Workspace<float>;
template class Workspace<double>;

}  // namespace likely
