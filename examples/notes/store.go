package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// note is a row of the table, and an object of the REST interface.
type note struct {
	ID      int64     `json:"id"`
	Title   string    `json:"title"`
	Text    string    `json:"text"`
	Changed time.Time `json:"changed"`
}

// errNoNote: there is none of that number.
var errNoNote = errors.New("no such note")

// store holds the notes. What a method has reported as done is on disk.
type store struct{ db *sql.DB }

const schema = `CREATE TABLE IF NOT EXISTS notes (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	title   TEXT NOT NULL,
	text    TEXT NOT NULL,
	changed INTEGER NOT NULL -- nanoseconds since 1970
) STRICT`

func openStore(ctx context.Context, file string) (*store, error) {
	// synchronous(FULL) is what makes a commit in write-ahead mode last.
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
	u := url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", file, err), db.Close())
	}
	return &store{db}, nil
}

func (s *store) close() error { return s.db.Close() }

const columns = "id, title, text, changed"

func scan(row interface{ Scan(...any) error }) (note, error) {
	var n note
	var changed int64
	err := row.Scan(&n.ID, &n.Title, &n.Text, &changed)
	n.Changed = time.Unix(0, changed).UTC()
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoNote
	}
	return n, err
}

// list returns at most limit notes, the last changed first.
func (s *store) list(ctx context.Context, limit int) ([]note, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+columns+" FROM notes ORDER BY changed DESC, id DESC LIMIT ?", limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	notes := []note{}
	for rows.Next() {
		n, err := scan(rows)
		if err != nil {
			return nil, err
		}
		notes = append(notes, n)
	}
	return notes, rows.Err()
}

func (s *store) get(ctx context.Context, id int64) (note, error) {
	return scan(s.db.QueryRowContext(ctx, "SELECT "+columns+" FROM notes WHERE id = ?", id))
}

// add adds a note and returns it with its number.
func (s *store) add(ctx context.Context, n note) (note, error) {
	return scan(s.db.QueryRowContext(ctx,
		"INSERT INTO notes (title, text, changed) VALUES (?, ?, ?) RETURNING "+columns,
		n.Title, n.Text, time.Now().UnixNano()))
}

// change replaces the title and the text of the note n.ID.
func (s *store) change(ctx context.Context, n note) (note, error) {
	return scan(s.db.QueryRowContext(ctx,
		"UPDATE notes SET title = ?, text = ?, changed = ? WHERE id = ? RETURNING "+columns,
		n.Title, n.Text, time.Now().UnixNano(), n.ID))
}

func (s *store) remove(ctx context.Context, id int64) error {
	r, err := s.db.ExecContext(ctx, "DELETE FROM notes WHERE id = ?", id)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errNoNote)
	}
	return nil
}
