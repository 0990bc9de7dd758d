// Package monitoring tests what operators are given, with the programs they use: a real Prometheus
// scrapes running instances under load, and has to answer every query of the Grafana dashboard and
// of the alert rules in deploy/.
package monitoring
