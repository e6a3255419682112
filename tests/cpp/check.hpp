// Just enough to test with: checks that go on after a failure, and a closing line that tells how
// many there were. A test is a main() that ends with `return finish();`.

#pragma once

#include <exception>
#include <iostream>
#include <string>
#include <string_view>

namespace likely_test {

inline int passed = 0;
inline int failed = 0;

inline void report(bool good, const char* file, int line, std::string_view what) {
    ++(good ? passed : failed);
    if (!good) std::cout << file << ":" << line << ": failed: " << what << std::endl;
}

}  // namespace likely_test

/// The condition holds, and evaluating it throws nothing.
#define CHECK(...)                                                                       \
    do {                                                                                 \
        try {                                                                            \
            ::likely_test::report(static_cast<bool>(__VA_ARGS__), __FILE__, __LINE__,    \
                                  #__VA_ARGS__);                                         \
        } catch (const std::exception& error_) {                                         \
            ::likely_test::report(false, __FILE__, __LINE__,                             \
                                  std::string(#__VA_ARGS__ " threw: ") + error_.what()); \
        }                                                                                \
    } while (false)

/// The expression throws an exception whose text contains `substring`.
#define CHECK_THROWS(expression, substring)                                                        \
    do {                                                                                           \
        bool good_ = false;                                                                        \
        std::string text_ = "no error";                                                            \
        try {                                                                                      \
            static_cast<void>(expression);                                                         \
        } catch (const std::exception& error_) {                                                   \
            text_ = error_.what();                                                                 \
            good_ = text_.find(substring) != std::string::npos;                                    \
        }                                                                                          \
        ::likely_test::report(good_, __FILE__, __LINE__,                                           \
                              #expression ": expected an error with \"" + std::string(substring) + \
                                  "\", got: " + text_);                                            \
    } while (false)

inline int finish() {
    std::cout << likely_test::passed << " passed, " << likely_test::failed << " failed"
              << std::endl;
    return likely_test::failed == 0 && likely_test::passed > 0 ? 0 : 1;
}
