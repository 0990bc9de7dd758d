package socketio

import (
	"fmt"
	"reflect"
)

// A draft remembers an event's decoded arguments as they were before the middlewares of Socket.Use got them. A middleware may put something
// else in their place, or change a map or a list of them: the namespace's typed handlers, which take arguments raw, have to see that, and what
// nobody has touched has to stay byte for byte.
type draft struct {
	args   []any // what the middlewares share: the name first, perhaps an acknowledgement last
	before []any
}

func newDraft(args []any) draft {
	return draft{args: args, before: copyLists(args).([]any)}
}

// apply puts what was changed into the event. It returns the event's name, "" if that is no string any more.
func (d draft) apply(ev *incoming) (name string, err error) {
	name, _ = d.args[0].(string)
	changed := false
	list := make([]any, len(ev.args))
	list[0] = name
	for i := 1; i < len(list); i++ {
		list[i] = ev.args[i]
		if !sameValue(d.before[i], d.args[i]) {
			list[i], changed = d.args[i], true
		}
	}
	if !changed {
		return name, nil
	}
	// All of them together, for they share a list of attachments.
	data, err := EncodeData(list)
	if err != nil {
		return "", fmt.Errorf("socketio: what a middleware made of an event: %w", err)
	}
	ev.args, err = data.Elements()
	return name, err
}

// copyLists copies maps and lists. What they hold else is never changed in place.
func copyLists(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[k] = copyLists(x)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = copyLists(x)
		}
		return list
	}
	return v
}

// sameValue compares what copyLists has copied. An attachment is the same if it is the same buffer: a reader leaves it shorter.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, x := range a {
			if y, ok := b[k]; !ok || !sameValue(x, y) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameValue(a[i], b[i]) {
				return false
			}
		}
		return true
	}
	return b == nil && a == nil || b != nil && reflect.TypeOf(b).Comparable() && a == b
}
