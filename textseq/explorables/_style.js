// 样式表。浏览器不能 import .css，所以 explore.module 拼成一份时，把三个 .css 文件的内容填进来；
// 只 import 一个互动的纯函数时（测试就这样），用不着样式，这里是空的。
export const style = { palette: "", base: "", piece: "" };
