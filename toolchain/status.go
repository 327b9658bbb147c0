package toolchain

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// Status tells in one line which toolchain there is, without building one.
func Status(ctx context.Context) (string, error) {
	if name := os.Getenv("TAMAGO"); name != "" {
		t, err := fromEnv(ctx, name)
		if err != nil {
			return "", err
		}
		return t.Go + ", " + t.Version, nil
	}
	stock, err := findStock(ctx, "")
	if err != nil {
		return "", err
	}
	place, err := cache()
	if err != nil {
		return "", err
	}
	c := builtin()
	root := filepath.Join(place.Path, c.key(stock))
	switch err := checkManifest(root, c.key(stock)); {
	case errors.Is(err, os.ErrNotExist):
		return "not built yet; yolk toolchain builds it from " + stock.Root + " (" + stock.Version + ")", nil
	case err != nil:
		return err.Error() + "; the next use builds it again", nil
	}
	return root + ", built from " + stock.Version, nil
}
