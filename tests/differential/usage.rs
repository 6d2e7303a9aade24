//! Exit codes of command lines, right and wrong.

use crate::explained::Explained;
use crate::programs::{Program, in_parallel};
use kiln_tests::Project;

const GOOD: &str = "variable \"v\" {\n  default = \"x\"\n}\nsource \"null\" \"a\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"null.a\"]\n}\n";

#[test]
fn exit_codes_are_equal() {
    let mut explained = Explained::of("usage");
    let lines: Vec<&str> = "
--help|-h|nonsense|version|--version|-version|version -h
build|build -h|build good.pkr.hcl|build -unknown good.pkr.hcl|build good.pkr.hcl extra|build absent.pkr.hcl
build -on-error=abort good.pkr.hcl|build -on-error=perhaps good.pkr.hcl|build -parallel-builds=2 good.pkr.hcl
build -parallel-builds=x good.pkr.hcl|build -color=false good.pkr.hcl|build --color=false good.pkr.hcl
build -only=null.a good.pkr.hcl|build -except=null.b good.pkr.hcl|build -var v=1 good.pkr.hcl|build -var=v=1 good.pkr.hcl
build -var w=1 good.pkr.hcl|build -var v good.pkr.hcl|build -var-file=absent.pkrvars.hcl good.pkr.hcl
build -var-file=good.pkrvars.hcl good.pkr.hcl|build -force good.pkr.hcl|build -timestamp-ui good.pkr.hcl|build -debug=false good.pkr.hcl
build .|build empty|validate|validate -h|validate good.pkr.hcl|validate -syntax-only good.pkr.hcl|validate bad.pkr.hcl
validate -syntax-only bad.pkr.hcl|validate broken.pkr.hcl|validate -syntax-only broken.pkr.hcl|validate absent.pkr.hcl
validate empty|validate good.pkr.hcl bad.pkr.hcl|validate -unknown good.pkr.hcl
inspect|inspect -h|inspect good.pkr.hcl|inspect bad.pkr.hcl|inspect broken.pkr.hcl|inspect absent.pkr.hcl|inspect -machine-readable good.pkr.hcl
fmt -h|fmt good.pkr.hcl|fmt -check good.pkr.hcl|fmt -check ugly.pkr.hcl|fmt -check=true ugly.pkr.hcl|fmt broken.pkr.hcl
fmt -check broken.pkr.hcl|fmt absent.pkr.hcl|fmt -unknown .|fmt readme.txt|fmt -write=false ugly.pkr.hcl|fmt a b
console -h|console -config-type=hcl2|console good.pkr.hcl|console absent.pkr.hcl|console -unknown
fix -h|fix|fix absent.json"
        .split(['\n', '|'])
        .filter(|line| !line.is_empty())
        .collect();
    let seen = in_parallel(&lines, |line| {
        let run = |program: Program| {
            let project = Project::new();
            project.write("good.pkr.hcl", GOOD);
            project.write("good.pkrvars.hcl", "v = \"y\"\n");
            project.write("bad.pkr.hcl", &GOOD.replace("null.a", "null.b"));
            project.write("broken.pkr.hcl", "source \"null\" {");
            project.write("ugly.pkr.hcl", "a=1\n");
            project.write("readme.txt", "x");
            std::fs::create_dir(project.path("empty")).unwrap();
            // `build .` reads all of them, of which one is broken.
            program.run(&project, &line.split(' ').collect::<Vec<_>>()).code
        };
        (run(Program::Kiln), run(Program::Packer))
    });
    for (line, (kiln, packer)) in lines.iter().zip(&seen) {
        explained.compare(line, &format!("{kiln:?}"), &format!("{packer:?}"));
    }
    let project = Project::new();
    let run = |program: Program| program.run(&project, &[]).code;
    explained.compare(
        "(nothing)",
        &format!("{:?}", run(Program::Kiln)),
        &format!("{:?}", run(Program::Packer)),
    );
    explained.end();
}
