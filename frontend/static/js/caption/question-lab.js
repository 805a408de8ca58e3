/** The lab of a network that answers questions about pictures. */

import { Address } from "../address.js";
import { saveButtons } from "../exports.js";
import { openLab } from "../open-lab.js";
import { Problem } from "../problem.js";
import { Question } from "./question.js";

const ADDRESS = new Address({ scene: 1, ask: "" });

class QuestionLab {
  constructor(about) {
    this.about = about;
    const save = ADDRESS.writer(() => this.question.asked);
    this.problem = new Problem(document.getElementById("problem"), { onRetry: () => this.question.ask() });
    this.question = new Question(document.querySelector(".question-figure"), {
      id: about.id,
      photo: null,
      state: ADDRESS.read(),
      onAsk: save,
      onProblem: (error) => this.problem.show(error),
      say: (words) => (document.getElementById("live").textContent = words),
    });
    saveButtons((what, kind) => this.question.save(kind));
    document.getElementById("checkpoint").addEventListener("change", (event) => (location.href = event.target.value));
  }
}

openLab(QuestionLab);
