package chaos

// listen brings npm clients into the world.
func (w *world) listen() {}
