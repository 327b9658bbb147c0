module example.com/linux

go 1.26
