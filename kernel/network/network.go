// Package network gives a program the sockets of the internet. It is linked into
// images of programs that have package net.
package network
