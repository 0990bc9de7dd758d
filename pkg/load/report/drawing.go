package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"socketio-chat/pkg/load/display"
	"socketio-chat/pkg/load/result"
)

// Size of a plot, in points.
const (
	width  = vg.Length(480)
	height = vg.Length(280)
	margin = vg.Length(30) // on the right, for half of the last tick's label
)

// palette can be told apart by the colour-blind (Okabe and Ito); after its end the lines are dashed.
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff},
	{0xcc, 0x79, 0xa7, 0xff}, {0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff},
}

// dashed says whether the line of run i is dashed.
func dashed(i int) bool { return i >= len(palette) }

// swatch is the style that marks run i in the page's table, which is the legend of all plots.
func swatch(i int) template.CSS {
	c, style := palette[i%len(palette)], "solid"
	if dashed(i) {
		style = "dashed"
	}
	return template.CSS(fmt.Sprintf("border-top: 4px %s #%02x%02x%02x", style, c.R, c.G, c.B))
}

// drawing is a plot being made.
type drawing struct{ p *plot.Plot }

func newDrawing(xLabel, yLabel string) *drawing {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font.Variant = "Sans"
		axis.Label.TextStyle.Font.Size = 13
		axis.Tick.Label.Font.Variant = "Sans"
		axis.Tick.Label.Font.Size = 12
		axis.LineStyle.Color = color.Gray{0x66}
		axis.Tick.LineStyle.Color = color.Gray{0x66}
		axis.Tick.Marker = roundTicks{}
	}
	p.X.Label.Text, p.Y.Label.Text = xLabel, yLabel
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xe4}, color.Gray{0xe4}
	p.Add(grid)
	return &drawing{p}
}

// lineDrawing draws lines; nil if none of them has points.
func lineDrawing(lines []series, xLabel, yLabel string) (*drawing, error) {
	d, some := newDrawing(xLabel, yLabel), false
	for i, s := range lines {
		if len(s.xy) == 0 {
			continue
		}
		some = true
		l, err := plotter.NewLine(s.xy)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		l.Color = palette[i%len(palette)]
		l.Width = lineWidth(i, len(lines))
		if dashed(i) {
			l.Dashes = []vg.Length{5, 3}
		}
		d.p.Add(l)
	}
	if !some {
		return nil, nil
	}
	return d, nil
}

// bars compares a value of several runs; nil for one run, and if nobody has a value.
func bars(runs []*result.Run, names []string, unit string, value func(*result.Run) float64) (*drawing, error) {
	d, some := newDrawing("", unit), false
	for i, r := range runs {
		v := value(r)
		some = some || v > 0
		b, err := plotter.NewBarChart(plotter.Values{v}, 36)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", names[i], err)
		}
		b.XMin = float64(i)
		b.Color = palette[i%len(palette)]
		b.LineStyle.Width = 0
		label, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: float64(i), Y: v}}, Labels: []string{short(v)}})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", names[i], err)
		}
		label.TextStyle[0].Font.Variant, label.TextStyle[0].Font.Size = "Sans", 12
		label.TextStyle[0].XAlign = draw.XCenter
		label.Offset.Y = 3
		d.p.Add(b, label)
	}
	if len(runs) < 2 || !some {
		return nil, nil
	}
	d.p.NominalX(names...)
	d.p.X.Min, d.p.X.Max = -0.6, float64(len(runs))-0.4
	d.p.Y.Min = 0
	d.p.Y.Max *= 1.1
	if len(runs) > 3 {
		d.p.X.Tick.Label.Rotation = math.Pi / 8
		d.p.X.Tick.Label.XAlign = draw.XRight
	}
	return d, nil
}

func (d *drawing) logY() { logAxis(&d.p.Y) }
func (d *drawing) logX() { logAxis(&d.p.X) }

// logAxis needs values above zero.
func logAxis(a *plot.Axis) {
	a.Scale = plot.LogScale{}
	a.Tick.Marker = plainTicks{decades{}}
	a.Min = math.Max(a.Min, 1e-3)
	a.Max = math.Max(a.Max, a.Min*2)
}

// shareTicks writes the x axis of nines as percentages.
func (d *drawing) shareTicks() {
	d.p.X.Min = nines(0)
	d.p.X.Tick.Marker = plot.ConstantTicks{
		{Value: nines(0), Label: "0 %"}, {Value: nines(0.5), Label: "50 %"}, {Value: nines(0.9), Label: "90 %"},
		{Value: nines(0.99), Label: "99 %"}, {Value: nines(0.999), Label: "99.9 %"}, {Value: nines(0.9999), Label: "99.99 %"},
		{Value: nines(0.99999), Label: "99.999 %"}, {Value: nines(0.999999), Label: "99.9999 %"},
	}
}

// svg renders the plot as an element for a page.
func (d *drawing) svg() (template.HTML, error) {
	c := vgsvg.New(width, height)
	d.p.Draw(draw.Crop(draw.New(c), 0, -margin, 0, -margin/3))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", fmt.Errorf("render a plot: %w", err)
	}
	// Without the XML declaration in front. The library escapes the texts.
	_, svg, ok := bytes.Cut(b.Bytes(), []byte("<svg"))
	if !ok {
		return "", fmt.Errorf("render a plot: no svg element in %.40q", b.Bytes())
	}
	// Greys follow the page, which may be dark.
	themed := greys.Replace("<svg" + string(svg))
	return template.HTML(themed), nil
}

// lineWidth is that of run i of several: what is drawn later is thinner, so that equal lines do not hide each other.
func lineWidth(i, n int) vg.Length { return 1.5 + 2*vg.Length(min(n-1-i, 2)) }

// greys makes the page's colours of the plots' own.
var greys = strings.NewReplacer(
	"stroke:#666666", "stroke:var(--axis)", "stroke:#E4E4E4", "stroke:var(--grid)",
	"fill:#000000", "fill:currentColor", "stroke:#000000", "stroke:currentColor", "<text ", `<text fill="currentColor" `,
)

// roundTicks marks some five round numbers: multiples of 1, 2 or 5 times a power of ten.
type roundTicks struct{}

// Ticks implements plot.Ticker.
func (roundTicks) Ticks(from, to float64) []plot.Tick {
	if !(to > from) || math.IsInf(to-from, 0) {
		return []plot.Tick{{Value: from, Label: short(from)}}
	}
	step := math.Pow(10, math.Floor(math.Log10((to-from)/4)))
	for _, m := range []float64{5, 2} {
		if (to-from)/(step*m) >= 4 {
			step *= m
			break
		}
	}
	var ticks []plot.Tick
	for i := math.Ceil(from / step); i*step <= to; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: short(i * step)})
	}
	return ticks
}

// plainTicks writes the numbers of other ticks as people do: 1.5k, not 1500.0000.
type plainTicks struct{ plot.Ticker }

// Ticks implements plot.Ticker.
func (t plainTicks) Ticks(from, to float64) []plot.Tick {
	ticks := t.Ticker.Ticks(from, to)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = short(ticks[i].Value)
		}
	}
	return ticks
}

// decades marks 1, 2 and 5 of each power of ten.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(from, to float64) []plot.Tick {
	var ticks []plot.Tick
	for exp := math.Floor(math.Log10(from)); exp <= math.Log10(to); exp++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, exp); v >= from && v <= to {
				ticks = append(ticks, plot.Tick{Value: v, Label: "x"})
			}
		}
	}
	return ticks
}

func short(v float64) string {
	if v < 1000 {
		return fmt.Sprintf("%.3g", v)
	}
	return display.Count(v)
}
