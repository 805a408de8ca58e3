/** The lab of a network that answers questions about pictures. */

import { openLab } from "../open-lab.js";
import { Problem } from "../problem.js";
import { Question } from "./question.js";

class QuestionLab {
  constructor(about) {
    this.about = about;
    this.problem = new Problem(document.getElementById("problem"), { onRetry: () => this.question.ask() });
    this.question = new Question(document.querySelector(".question-figure"), {
      id: about.id,
      photo: () => null,
      onProblem: (error) => this.problem.show(error),
      say: (words) => (document.getElementById("live").textContent = words),
    });
    this.question.draw(1);
    document.getElementById("checkpoint").addEventListener("change", (event) => (location.href = event.target.value));
  }
}

openLab(QuestionLab);
