/* Keeps the page up to date: fetches it again and puts the new content in the place of the old.
   Written for the browsers of televisions too, so in the JavaScript of 2009. */
(function () {
  "use strict";

  var failures = 0;

  function openParts(root) {
    var open = {};
    var parts = root.getElementsByTagName("details");
    for (var i = 0; i < parts.length; i += 1) {
      open[parts[i].id] = parts[i].open;
    }
    return open;
  }

  function replace(fresh) {
    var old = document.getElementById("live");
    var focused = document.activeElement ? document.activeElement.id : "";
    var open = openParts(old);
    var live = document.importNode(fresh, true);
    var parts = live.getElementsByTagName("details");
    for (var i = 0; i < parts.length; i += 1) {
      if (Object.prototype.hasOwnProperty.call(open, parts[i].id)) {
        parts[i].open = open[parts[i].id];
      }
    }
    old.parentNode.replaceChild(live, old);
    if (focused && document.getElementById(focused)) {
      document.getElementById(focused).focus();
    }
  }

  function schedule() {
    var seconds = Number(document.getElementById("live").getAttribute("data-refresh"));
    window.setTimeout(update, 1000 * Math.min(60, seconds * Math.pow(2, failures)));
  }

  function update() {
    if (document.hidden) {
      schedule();
      return;
    }
    var request = new XMLHttpRequest();
    request.open("GET", "/");
    request.responseType = "document";
    request.timeout = 15000;
    request.onloadend = function () {
      var fresh = request.status === 200 && request.response
        ? request.response.getElementById("live")
        : null;
      failures = fresh ? 0 : failures + 1;
      document.documentElement.className = fresh ? "" : "offline";
      if (fresh) {
        replace(fresh);
      }
      schedule();
    };
    request.send();
  }

  schedule();
}());
