// Package procstat reads the CPU time and resident memory of processes on this machine from /proc (Linux).
//
// Each call reads files and keeps nothing; any number of goroutines may call. CPU time has the kernel's resolution for
// it, 10 ms. Reading costs the observed process nothing, except Resident, which makes the kernel walk its page tables.
package procstat

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc: USER_HZ is 100 on every Linux architecture that Go supports.
const tick = time.Second / 100

// FS is a mounted proc file system.
type FS string

// Proc is where Linux has it.
const Proc FS = "/proc"

// Sample is the state of a process at one moment.
type Sample struct {
	Name    string        // the executable's name, at most 15 bytes
	User    time.Duration // CPU time since its start, all threads
	System  time.Duration
	RSS     int64 // bytes; approximate by some pages a thread
	Threads int
	Started uint64 // ticks after boot; tells a process from a later one with its pid
}

// CPU is user and system time together.
func (s Sample) CPU() time.Duration { return s.User + s.System }

// Read samples a process.
func (fs FS) Read(pid int) (Sample, error) {
	b, err := os.ReadFile(fs.path(pid, "stat"))
	if errors.Is(err, os.ErrNotExist) {
		return Sample{}, fmt.Errorf("no process %d on this machine: %w", pid, err)
	}
	if err != nil {
		return Sample{}, fmt.Errorf("read the process's statistics: %w", err)
	}
	s, err := parseStat(b)
	if err != nil {
		return Sample{}, fmt.Errorf("process %d: %w", pid, err)
	}
	return s, nil
}

// Resident is a process's resident memory in bytes, exact to the page. It makes the kernel walk the process's page
// tables, which takes milliseconds in large processes.
func (fs FS) Resident(pid int) (int64, error) {
	b, err := os.ReadFile(fs.path(pid, "smaps_rollup"))
	if err != nil {
		return 0, fmt.Errorf("read the process's memory map: %w", err)
	}
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && string(fields[0]) == "Rss:" && string(fields[2]) == "kB" {
			kb, err := strconv.ParseInt(string(fields[1]), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("process %d: no Rss in smaps_rollup", pid)
}

// Busy is the CPU time that all processes of the machine have used since boot, the kernel's own included.
func (fs FS) Busy() (time.Duration, error) {
	b, err := os.ReadFile(filepath.Join(string(fs), "stat"))
	if err != nil {
		return 0, fmt.Errorf("read the machine's statistics: %w", err)
	}
	// cpu  user nice system idle iowait irq softirq steal guest guest_nice
	line, _, _ := bytes.Cut(b, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 8 || string(fields[0]) != "cpu" {
		return 0, errors.New("the machine's statistics do not begin with the sum of its processors")
	}
	var busy uint64
	for _, i := range []int{1, 2, 3, 6, 7} {
		v, err := strconv.ParseUint(string(fields[i]), 10, 63)
		if err != nil {
			return 0, fmt.Errorf("processor time %q: %w", fields[i], err)
		}
		busy += v
	}
	return time.Duration(busy) * tick, nil
}

// Kernel is the memory in bytes that the kernel holds in its own structures and in the buffers of TCP sockets: of the whole
// machine, so that only a difference over a time in which little else happens tells anything.
func (fs FS) Kernel() (int64, error) {
	slab, err := fs.number("meminfo", "Slab:", "")
	if err != nil {
		return 0, err
	}
	pages, err := fs.number("net/sockstat", "TCP:", "mem")
	return slab<<10 + pages*int64(os.Getpagesize()), err
}

// number is the number behind a word, or else behind the line's first, on the line of a file that begins with first.
func (fs FS) number(file, first, word string) (int64, error) {
	b, err := os.ReadFile(filepath.Join(string(fs), file))
	if err != nil {
		return 0, fmt.Errorf("read the kernel's memory: %w", err)
	}
	for line := range bytes.Lines(b) {
		fields := strings.Fields(string(line))
		if len(fields) < 2 || fields[0] != first {
			continue
		}
		at := 0
		if word != "" {
			at = slices.Index(fields, word)
		}
		if at >= 0 && at+1 < len(fields) {
			return strconv.ParseInt(fields[at+1], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s %s", file, first, word)
}

func (fs FS) path(pid int, name string) string {
	return filepath.Join(string(fs), strconv.Itoa(pid), name)
}

// parseStat reads one line of proc_pid_stat(5). The executable's name stands in parentheses and may hold anything,
// so the fields behind it are counted from the last parenthesis.
func parseStat(b []byte) (Sample, error) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return Sample{}, errors.New("its statistics have no name in parentheses")
	}
	fields := bytes.Fields(b[end+1:])
	const first = 3 // fields[0] is field 3, the state
	var firstErr error
	field := func(n int) uint64 {
		if n-first >= len(fields) {
			firstErr = errors.Join(firstErr, fmt.Errorf("its statistics end before field %d", n))
			return 0
		}
		v, err := strconv.ParseUint(string(fields[n-first]), 10, 63)
		if err != nil {
			firstErr = errors.Join(firstErr, fmt.Errorf("field %d of its statistics: %w", n, err))
		}
		return v
	}
	s := Sample{
		Name:    string(b[open+1 : end]),
		User:    time.Duration(field(14)) * tick,
		System:  time.Duration(field(15)) * tick,
		Threads: int(field(20)),
		Started: field(22),
		RSS:     int64(field(24)) * int64(os.Getpagesize()),
	}
	return s, firstErr
}
