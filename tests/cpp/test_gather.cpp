// Batches are the rows that they are asked for, whatever their width, and nothing else is touched.
// A number that is not finite is found wherever it stands.

#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "kernels/table.hpp"

using namespace likely;

namespace {

constexpr std::int64_t data_rows = 50, batch_rows = 7;

/// `ahead` rows of the order follow those of the batch; rows have `more` columns than are asked
/// for.
template <class T>
void test_columns(std::int64_t columns, std::int64_t more, bool ordered, bool scaled,
                  std::int64_t ahead) {
    const std::int64_t stride = columns + more;
    const auto at = [stride](std::int64_t i, std::int64_t j) {
        return static_cast<std::size_t>(i * stride + j);
    };
    std::vector<T> x, mean, inverse_scale;
    for (std::int64_t i = 0; i < data_rows * stride - more; ++i) x.push_back(static_cast<T>(i));
    for (std::int64_t j = 0; j < columns; ++j) {
        mean.push_back(static_cast<T>(3 * j));
        inverse_scale.push_back(static_cast<T>(j % 2 ? 0.5 : 2));
    }
    std::vector<std::int64_t> order;  // no longer than it may be read
    for (std::int64_t i = 0; i < batch_rows + ahead; ++i) order.push_back(i * 31 % data_rows);
    const T untouched = -7;
    std::vector<T> out(at(batch_rows + 1, 0), untouched);
    kernels<T>().gather(x.data(), columns, stride, ordered ? order.data() : nullptr, batch_rows,
                        ahead, scaled ? mean.data() : nullptr,
                        scaled ? inverse_scale.data() : nullptr, out.data());
    for (std::int64_t i = 0; i < batch_rows; ++i) {
        const std::int64_t row = ordered ? order[static_cast<std::size_t>(i)] : i;
        for (std::int64_t j = 0; j < columns; ++j) {
            const auto column = static_cast<std::size_t>(j);
            const T plain = x[at(row, j)];
            CHECK(out[at(i, j)] ==
                  (scaled ? (plain - mean[column]) * inverse_scale[column] : plain));
        }
        for (std::int64_t j = columns; j < stride; ++j) CHECK(out[at(i, j)] == untouched);
    }
    for (std::int64_t j = 0; j < stride; ++j) CHECK(out[at(batch_rows, j)] == untouched);
}

template <class T>
void test_finite() {
    using Limits = std::numeric_limits<T>;
    for (std::size_t count = 0; count < 150; ++count) {
        std::vector<T> values;  // no longer than it may be read
        for (std::size_t i = 0; i < count; ++i)
            values.push_back(i % 3 == 0 ? Limits::max() : i % 3 == 1 ? -Limits::max() : T(0));
        const auto finite = [&] {
            return kernels<T>().all_finite(values.data(), static_cast<std::int64_t>(count));
        };
        CHECK(finite());
        for (std::size_t i = 0; i < count; ++i) {
            const T before = values[i];
            for (const T bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) {
                values[i] = bad;
                CHECK(!finite());
            }
            values[i] = before;
        }
    }
}

template <class T>
void test_all() {
    test_finite<T>();
    for (std::int64_t columns = 1; columns < 40; ++columns) {
        for (const bool scaled : {false, true}) {
            for (const std::int64_t more : {0, 3}) {
                test_columns<T>(columns, more, false, scaled, 0);
                for (const std::int64_t ahead : {0, 1, 5, 100})
                    test_columns<T>(columns, more, true, scaled, ahead);
            }
        }
    }
}

}  // namespace

int main() {
    test_all<float>();
    test_all<double>();
    return finish();
}
