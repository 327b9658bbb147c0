// Search in the pages: an index that Hugo has made is loaded when something is typed.
(() => {
	const script = document.currentScript, form = document.getElementById("search"), results = document.getElementById("results");
	const input = form.querySelector("input");
	let pages;
	const load = () => new Promise((done, fail) => {
		const s = document.createElement("script"); // which a page from a disk may load, too
		s.src = new URL("search-index.js", script.src);
		s.onload = () => done(window.searchIndex.map(p => ({...p, lower: p.text.toLowerCase()})));
		s.onerror = fail;
		document.head.append(s);
	});
	form.hidden = false;

	// score tells how well a page fits all words; 0: not at all.
	const score = (page, words) => {
		let sum = 0;
		for (const w of words) {
			const n = page.lower.split(w).length - 1;
			const title = page.title.toLowerCase().includes(w);
			if (!n && !title) return 0;
			sum += Math.log(1 + n) + (title ? 5 : 0);
		}
		return sum;
	};
	const show = async () => {
		const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
		pages ??= load();
		let all;
		try {
			all = await pages;
		} catch {
			pages = undefined; // what is typed next tries again
			results.hidden = false;
			results.textContent = "The index of the pages, search-index.js, cannot be loaded.";
			return;
		}
		const found = words.length ? all.map(page => ({page, n: score(page, words)})).filter(f => f.n).sort((a, b) => b.n - a.n).slice(0, 12) : [];
		results.hidden = !words.length;
		results.replaceChildren(...found.map(({page}) => {
			const item = document.createElement("li"), link = document.createElement("a"), text = document.createElement("p");
			const at = Math.max(0, page.lower.indexOf(words[0]) - 60);
			link.href = new URL(page.url, script.src);
			link.textContent = page.title;
			text.textContent = page.text.slice(at, at + 180);
			item.append(link, text);
			return item;
		}));
		if (words.length && !found.length) results.textContent = "No page has all of these words.";
	};
	input.addEventListener("input", show);
	form.addEventListener("submit", e => {
		e.preventDefault();
		results.querySelector("a")?.click();
	});
})();
