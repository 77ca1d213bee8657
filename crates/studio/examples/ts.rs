//! x
fn main() {
    for (_, t) in flowglass_studio::api::typescript_files() {
        println!("{t}");
    }
}
