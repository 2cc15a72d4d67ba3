#pragma once

#include <sstream>
#include <string>

// Each runs one command, and tells what came of it in one line.
std::string frames(const std::string& command, std::istringstream& line);
std::string serialLine(std::istringstream& line);
std::string provisioning(std::istringstream& line);
std::string store(std::istringstream& line);
std::string dialler(std::istringstream& line);

/** `-` stands for nothing at all. */
std::string octetsOf(const std::string& digits);
std::string digitsOf(const std::string& octets);
std::string digitsOf(const uint8_t* octets, size_t count);
inline const uint8_t* asOctets(const std::string& octets) { return reinterpret_cast<const uint8_t*>(octets.data()); }

namespace bu {
class SerialLine;
}

/** The line whose UART is the test's; anew with `line new`. */
bu::SerialLine& lineUnderTest();
