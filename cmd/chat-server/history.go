package main

import (
	"socketio-chat/pkg/chat"
	"socketio-chat/pkg/chat/history"
	"socketio-chat/pkg/config"
)

// keptMessages is where messages are kept; nowhere unless it is configured.
func keptMessages(c config.Chat) chat.History {
	if c.History == 0 {
		return chat.History{}
	}
	limits := history.Limits{Count: c.History, Bytes: c.HistoryBytes, Age: c.HistoryAge}
	return chat.History{Store: history.NewMemory(limits), Limits: limits}
}
