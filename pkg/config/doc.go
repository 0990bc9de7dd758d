// Package config reads the server's settings from the environment.
//
//	.env file ──┐
//	            ├─► one text per variable ─► parse ─► check together ─► Config
//	environment ┘   (environment wins)        └──────── problems ───────► *Error
//
// # How it is used
//
//	cfg, err := config.Load(os.Environ(), ".env")
//
// The variables stand in one table (variables.go): name, default, meaning, and a kind
// that says which values are accepted and puts them into a field of [Config]. The
// defaults are parsed like any other value, so Config has no second list of them.
// [Usage] and [Markdown] print the same table for --help and for deploy/docs/settings.md.
//
// A new variable is a field and a row; a rule between variables is an entry in rules.go.
//
// # Behaviour
//
// A variable of the real environment wins over the same name in the file, also when it
// is set to nothing: an empty value always means the default. Every problem is reported
// in one [Error]. Names that look like a misspelling of one of ours become
// [Config.Warnings]. Values of secret variables appear in neither, nor in the log.
//
// # Concurrency and limits
//
// There is no state: Load may run anywhere, a Config is a plain value that nobody
// changes afterwards. A .env file over 64 KiB is refused.
package config
