// Package sockets gives a program the system calls on sockets, and the sockets of
// AF_UNIX. It is linked into images of programs that have package net, or may make
// system calls themselves.
package sockets
