module github.com/yolkos/yolk

go 1.26.4
