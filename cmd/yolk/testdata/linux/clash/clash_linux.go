package clash

const Name = "no tamago"
