package main

func init() { chosen = append(chosen, "name linux") }
