// The print button of a list; without scripts the browser's own menu prints it.
document.documentElement.classList.add("js");
document.getElementById("print").addEventListener("click", () => window.print());
