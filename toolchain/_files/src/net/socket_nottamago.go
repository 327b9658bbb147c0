//go:build js || wasip1

package net

import (
	"context"
	"syscall"
)

// hookSocket is for socket_tamago.go; others have the fake network only.
func hookSocket(ctx context.Context, net string, family, sotype int, laddr, raddr sockaddr, ctrlCtxFn func(context.Context, string, string, syscall.RawConn) error) (fd *netFD, hooked bool, err error) {
	return nil, false, nil
}
