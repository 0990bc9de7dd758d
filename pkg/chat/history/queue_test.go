package history

import (
	"testing"

	"socketio-chat/pkg/socketio"
)

// What is given up is counted as lost to the history if it was for the history. Everybody is told.
func TestGivenUp(t *testing.T) {
	message := Message{Payload: socketio.Payload{JSON: []byte(`"said"`)}}
	key := Message{Once: "a key"}
	var q queue
	q.init(message.size() + key.size())
	told := 0
	for _, m := range []Message{message, key, message, key, message} {
		q.push(&waiting{message: m, done: func(r Receipt) {
			if r != (Receipt{}) {
				t.Errorf("told %+v", r)
			}
			told++
		}})
	}
	if told != 3 { // the first message and key made room for the second ones, the second message for the third
		t.Errorf("%d were told", told)
	}
	if lost := q.givenUp(); lost != 2 {
		t.Errorf("%d messages are lost", lost)
	}
}
