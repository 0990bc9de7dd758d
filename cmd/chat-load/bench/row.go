//go:build linux

package bench

import (
	"context"
	"fmt"
)

// wildSpread is the spread of trials over which a row is measured anew.
const wildSpread = 0.2

// row measures the variants in turn, several times, and as often again if the trials differ too much.
func (b *bench) row(ctx context.Context, r row) (Row, error) {
	repeats := b.timing.repeatsOf(r)
	if b.opts.Repeats > 0 {
		repeats = b.opts.Repeats
	}
	b.printf("\n%s: %s", r.name, r.work)
	variants := make([]Variant, len(r.variants))
	for i, v := range r.variants {
		variants[i].Name = v.name
	}
	if err := b.repeat(ctx, r, variants, repeats); err != nil {
		return Row{}, err
	}
	out := r.judge(variants)
	if worst := out.spread(); b.timing.again && worst > wildSpread {
		b.printf("  the trials differ by %.0f %%: once more", 100*worst)
		if err := b.repeat(ctx, r, variants, repeats); err != nil {
			return Row{}, err
		}
		out = r.judge(variants)
		out.Again = true
	}
	return out, nil
}

// repeat adds trials to the variants, one variant after the other, so that what disturbs the machine disturbs all.
func (b *bench) repeat(ctx context.Context, r row, variants []Variant, repeats int) error {
	for repeat := range repeats {
		for i, v := range r.variants {
			out := &variants[i]
			if out.Skipped != "" {
				continue
			}
			m, err := b.trial(ctx, r, v, len(out.Trials))
			if err != nil && optional(v.server) && ctx.Err() == nil {
				out.Skipped, out.Trials = err.Error(), nil
				b.printf("  %d/%d %-20s SKIPPED: %v", repeat+1, repeats, v.name, err)
				continue
			}
			if err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
			b.printf("  %d/%d %-20s %s", repeat+1, repeats, v.name, m)
			out.Trials = append(out.Trials, m)
		}
	}
	return nil
}

// judge sums up what the trials have found.
func (r row) judge(variants []Variant) Row {
	for i := range variants {
		variants[i].Median = median(variants[i].Trials)
	}
	out := Row{Name: r.name, Work: r.work, Variants: variants}
	for _, t := range r.targets {
		out.Checks = append(out.Checks, t.judge(variants))
	}
	for _, more := range r.more {
		out.Checks = append(out.Checks, more(variants))
	}
	for _, n := range r.notes {
		if line := n.String(variants); line != "" {
			out.Notes = append(out.Notes, line)
		}
	}
	return out
}

// spread is the greatest of the checks'.
func (r Row) spread() float64 {
	worst := 0.0
	for _, c := range r.Checks {
		worst = max(worst, c.Spread)
	}
	return worst
}
