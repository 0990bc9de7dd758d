package mount

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v4"

	"socketio-chat/pkg/socketio"
)

// NetHTTP mounts io in the standard library's router. The slash at the end makes the pattern match all below it.
func NetHTTP(io *socketio.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	return mux
}

// Chi mounts io in chi.
func Chi(io *socketio.Server) http.Handler {
	r := chi.NewRouter()
	r.Handle("/socket.io/*", io)
	return r
}

// Gin mounts io in gin.
func Gin(io *socketio.Server) http.Handler {
	r := gin.New()
	r.Any("/socket.io/*any", gin.WrapH(io))
	return r
}

// Echo mounts io in echo.
func Echo(io *socketio.Server) http.Handler {
	e := echo.New()
	e.Any("/socket.io/*", echo.WrapHandler(io))
	return e
}
