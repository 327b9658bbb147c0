package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

//go:embed page.html
var page []byte

const (
	maxBody = 1 << 20 // bytes of a request
	maxList = 1000    // notes of an answer
)

type handler struct{ store *store }

// newHandler serves the page and the REST interface:
//
//	GET    /api/notes       all notes, the last changed first
//	POST   /api/notes       adds one: 201 and the note
//	GET    /api/notes/{id}  one note
//	PUT    /api/notes/{id}  replaces its title and text
//	DELETE /api/notes/{id}  204
//	GET    /healthz         200 as long as the database answers
//
// What has been answered with 2xx is on disk.
func newHandler(s *store) http.Handler {
	h := handler{s}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page) // a client that has gone misses it
	})
	mux.HandleFunc("GET /api/notes", answer(http.StatusOK, h.list))
	mux.HandleFunc("POST /api/notes", answer(http.StatusCreated, h.add))
	mux.HandleFunc("GET /api/notes/{id}", answer(http.StatusOK, h.get))
	mux.HandleFunc("PUT /api/notes/{id}", answer(http.StatusOK, h.change))
	mux.HandleFunc("DELETE /api/notes/{id}", answer(http.StatusNoContent, h.remove))
	mux.HandleFunc("GET /healthz", answer(http.StatusOK, func(r *http.Request) (any, error) {
		_, err := s.list(r.Context(), 1)
		return "ok", err
	}))
	return mux
}

// badRequest is an error of the client's.
type badRequest struct{ error }

// answer makes a handler of what returns a value for the body, as JSON.
func answer(status int, do func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		v, err := do(r)
		status := status
		if err != nil {
			status = http.StatusInternalServerError
			var bad badRequest
			switch {
			case errors.Is(err, errNoNote):
				status = http.StatusNotFound
			case errors.As(err, &bad):
				status = http.StatusBadRequest
			}
			v = map[string]string{"error": err.Error()}
		}
		if status == http.StatusNoContent {
			w.WriteHeader(status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // a client that has gone misses it
	}
}

func (h handler) list(r *http.Request) (any, error) { return h.store.list(r.Context(), maxList) }

func (h handler) get(r *http.Request) (any, error) {
	id, err := number(r)
	if err != nil {
		return nil, err
	}
	return h.store.get(r.Context(), id)
}

func (h handler) add(r *http.Request) (any, error) {
	n, err := read(r)
	if err != nil {
		return nil, err
	}
	return h.store.add(r.Context(), n)
}

func (h handler) change(r *http.Request) (any, error) {
	id, err := number(r)
	if err != nil {
		return nil, err
	}
	n, err := read(r)
	if err != nil {
		return nil, err
	}
	n.ID = id
	return h.store.change(r.Context(), n)
}

func (h handler) remove(r *http.Request) (any, error) {
	id, err := number(r)
	if err != nil {
		return nil, err
	}
	return nil, h.store.remove(r.Context(), id)
}

// number is the note that a path names.
func number(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, badRequest{fmt.Errorf("note %q: want a number", r.PathValue("id"))}
	}
	return id, nil
}

// read is the note in the body of a request.
func read(r *http.Request) (note, error) {
	var n note
	if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
		return note{}, badRequest{fmt.Errorf("body: %w", err)}
	}
	if n.Title == "" {
		return note{}, badRequest{errors.New("a note needs a title")}
	}
	return n, nil
}
