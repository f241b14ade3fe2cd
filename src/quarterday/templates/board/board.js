// Airflow shows the board in a frame that may not lead the page around it anywhere. Links to Airflow's own pages are
// handed to that page's router; without this script they open inside the frame.
document.addEventListener("click", (event) => {
  const link = event.target.closest && event.target.closest("a.out");
  if (!link || window.top === window || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const around = window.top;
  around.history.pushState(null, "", link.href);
  around.dispatchEvent(new around.PopStateEvent("popstate", { state: null }));
});
