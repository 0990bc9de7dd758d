package config

import "strings"

// fromEnvironment is the source of a setting that is not from the file.
const fromEnvironment = "environment"

// Load reads the configuration from environ, a list of NAME=value as os.Environ gives
// it, and from the file dotenv, which need not exist ("": none). The error is an *Error
// that lists every problem. Warnings are there in any case.
func Load(environ []string, dotenv string) (Config, error) {
	var (
		c        Config
		problems []Problem
	)
	given, problem := gather(environ, dotenv)
	if problem != nil {
		problems = append(problems, *problem)
	}
	for _, v := range variables() {
		text, source := v.def, ""
		if g, ok := given[v.name]; ok {
			text, source = g.value, g.source
			if v.kind.secret {
				g.value = hidden
			}
			c.given = append(c.given, setting{v.name, shortened(g.value), g.source})
		}
		if err := v.kind.set(&c, text); err != nil {
			problems = append(problems, v.refused(text, source, err))
		}
	}
	c.Warnings = misspelt(given)
	if len(problems) == 0 {
		for _, rule := range rules() {
			if p := rule(&c); p != nil {
				problems = append(problems, *p)
			}
		}
		c.Warnings = append(c.Warnings, redisIgnored(&c)...)
	}
	if len(problems) > 0 {
		return c, &Error{Problems: problems, Hints: c.Warnings}
	}
	return c, nil
}

// gather returns what was set, ours or not, without empty values.
func gather(environ []string, dotenv string) (map[string]setting, *Problem) {
	given := map[string]setting{}
	fromFile, problem := readDotenv(dotenv)
	for name, value := range fromFile {
		given[name] = setting{name, strings.TrimSpace(value), dotenv}
	}
	seen := map[string]bool{}
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || seen[name] {
			continue // the first of two entries wins, as with os.Getenv
		}
		seen[name] = true
		given[name] = setting{name, strings.TrimSpace(value), fromEnvironment}
	}
	for name, g := range given {
		if g.value == "" {
			delete(given, name)
		}
	}
	return given, problem
}
