package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// kind is one sort of value: what it accepts, in words that finish "must be …", and
// how its text gets into a Config. set gets no surrounding space and never the empty
// text unless that is the default; its error is a hint for this one value, or errPlain
// when there is nothing to add to the words of accepts.
type kind struct {
	accepts string
	set     func(c *Config, text string) error
	secret  bool // the value is never shown
}

// errPlain says that the value is not accepted, and that accepts says all about it.
var errPlain = errors.New("not an accepted value")

// asInt is n, or the largest int where that has 32 bits.
func asInt(n int64) int { return int(min(n, math.MaxInt)) }

// integer accepts whole decimal numbers.
func integer[T int | int64](field func(*Config) *T, lowest, highest T) kind {
	return kind{
		accepts: fmt.Sprintf("a whole number from %d to %d", lowest, highest),
		set: func(c *Config, text string) error {
			if text == "" {
				return nil // no default: stays zero
			}
			n, err := decimal(text)
			if err != nil {
				return err
			}
			if n < int64(lowest) || n > int64(highest) {
				return errPlain
			}
			*field(c) = T(n)
			return nil
		},
	}
}

// line accepts one line of text, of so many characters at most.
func line(field func(*Config) *string, most int) kind {
	return kind{
		accepts: fmt.Sprintf("one line of at most %d characters", most),
		set: func(c *Config, text string) error {
			if utf8.RuneCountInString(text) > most || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
				return errPlain
			}
			*field(c) = text
			return nil
		},
	}
}

// milliseconds accepts whole milliseconds.
func milliseconds(field func(*Config) *time.Duration, lowest, highest time.Duration) kind {
	return kind{
		accepts: fmt.Sprintf("a whole number of milliseconds from %d to %d", lowest.Milliseconds(), highest.Milliseconds()),
		set: func(c *Config, text string) error {
			n, err := decimal(text)
			if err != nil {
				return err
			}
			if n < lowest.Milliseconds() || n > highest.Milliseconds() {
				return errPlain
			}
			*field(c) = time.Duration(n) * time.Millisecond
			return nil
		},
	}
}

// seconds accepts whole seconds.
func seconds(field func(*Config) *time.Duration, lowest, highest time.Duration) kind {
	return kind{
		accepts: fmt.Sprintf("a whole number of seconds from %d to %d", int(lowest.Seconds()), int(highest.Seconds())),
		set: func(c *Config, text string) error {
			n, err := decimal(text)
			if err != nil {
				return err
			}
			if n < int64(lowest.Seconds()) || n > int64(highest.Seconds()) {
				return errPlain
			}
			*field(c) = time.Duration(n) * time.Second
			return nil
		},
	}
}

// hours accepts whole hours, at least one.
func hours(field func(*Config) *time.Duration, highest int64) kind {
	return kind{
		accepts: fmt.Sprintf("a whole number of hours from 1 to %d", highest),
		set: func(c *Config, text string) error {
			n, err := decimal(text)
			if err != nil {
				return err
			}
			if n < 1 || n > highest {
				return errPlain
			}
			*field(c) = time.Duration(n) * time.Hour
			return nil
		},
	}
}

// decimal is strict: digits only, so that "1e6", "+5" and "0x10" are not guessed at.
func decimal(text string) (int64, error) {
	if strings.Contains(text, "://") {
		// Kubernetes gives every pod REDIS_PORT=tcp://… when a service is called redis.
		return 0, fmt.Errorf("this is an address; in Kubernetes a service of that name sets it, enableServiceLinks: false prevents that")
	}
	if strings.Trim(text, "0123456789") != "" {
		return 0, errPlain
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errPlain // more than 63 bits
	}
	return n, nil
}

// boolean accepts the usual spellings of yes and no, in any case.
func boolean(field func(*Config) *bool) kind {
	return kind{
		accepts: "true or false (also 1 or 0, yes or no, on or off)",
		set: func(c *Config, text string) error {
			switch strings.ToLower(text) {
			case "true", "1", "yes", "on":
				*field(c) = true
			case "false", "0", "no", "off":
				*field(c) = false
			default:
				return errPlain
			}
			return nil
		},
	}
}

// oneOf accepts one of some words, in any case.
func oneOf[T ~string](field func(*Config) *T, words ...T) kind {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	return kind{
		accepts: orList(names),
		set: func(c *Config, text string) error {
			i := slices.Index(names, strings.ToLower(text))
			if i < 0 {
				return errPlain
			}
			*field(c) = words[i]
			return nil
		},
	}
}

// logLevel accepts slog's four names.
func logLevel(field func(*Config) *slog.Level) kind {
	return kind{
		accepts: "debug, info, warn or error",
		set: func(c *Config, text string) error {
			if !slices.Contains([]string{"debug", "info", "warn", "error"}, strings.ToLower(text)) {
				return errPlain // slog itself would take "info+2"
			}
			return field(c).UnmarshalText([]byte(text))
		},
	}
}

// subset accepts some of the words, separated by commas, each once.
func subset(field func(*Config) *[]string, words ...string) kind {
	return kind{
		accepts: "one or more of " + strings.Join(words, ", ") + ", separated by commas",
		set: func(c *Config, text string) error {
			var list []string
			for _, item := range split(text) {
				item = strings.ToLower(item)
				if !slices.Contains(words, item) {
					return fmt.Errorf("%s is none of them", quoted(item))
				}
				if slices.Contains(list, item) {
					return fmt.Errorf("%s is there twice", quoted(item))
				}
				list = append(list, item)
			}
			if len(list) == 0 {
				return errPlain
			}
			*field(c) = list
			return nil
		},
	}
}

// hostname accepts an IP address or a DNS name, without a port.
func hostname(field func(*Config) *string) kind {
	return kind{
		accepts: "a host name or an IP address, without a port",
		set: func(c *Config, text string) error {
			if text != "" && !isHost(text) {
				return errPlain
			}
			*field(c) = text
			return nil
		},
	}
}

// hostnames accepts host names without ports.
func hostnames(field func(*Config) *[]string) kind {
	return kind{
		accepts: "host names such as chat.example, without a port, separated by commas",
		set: func(c *Config, text string) error {
			items := split(text)
			for _, item := range items {
				if !isHost(item) {
					return fmt.Errorf("%s is none", quoted(item))
				}
			}
			*field(c) = items
			return nil
		},
	}
}

// listenAddress accepts host:port to listen on, or off for the empty address.
func listenAddress(field func(*Config) *string) kind {
	return kind{
		accepts: "host:port, :port for all interfaces, or off",
		set: func(c *Config, text string) error {
			if strings.EqualFold(text, "off") {
				*field(c) = ""
				return nil
			}
			host, port, err := net.SplitHostPort(text)
			if err != nil {
				return errPlain
			}
			if host != "" && !isHost(host) {
				return fmt.Errorf("%s is not a host name or an IP address", quoted(host))
			}
			if n, err := decimal(port); err != nil || n > 65535 {
				return fmt.Errorf("%s is not a port from 0 to 65535", quoted(port))
			}
			*field(c) = text
			return nil
		},
	}
}

// isHost is deliberately wide for names (service names of Compose have underscores),
// but catches what people really write by mistake: URLs, ports, paths, spaces.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	if len(text) > 253 {
		return false
	}
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case r == '-', r == '.', r == '_':
		default:
			return false
		}
	}
	return true
}

// split cuts a list at its commas and drops empty items.
func split(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// orList joins words to "a, b or c".
func orList(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
