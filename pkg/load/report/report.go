package report
import ("socketio-chat/pkg/load/result")
func WriteFile(path string, runs []*result.Run) error { return nil }
