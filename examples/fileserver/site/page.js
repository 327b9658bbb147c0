fetch("message.txt").then(r => r.text()).then(text => {
  document.getElementById("script").textContent = text.trim();
});
