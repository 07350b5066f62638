// All words of the page, English and Chinese, in one table; and which of them are shown, in which language and colours.
import { signal } from "./signal.js";

const WORDS = {
  accounts: ["People", "成员"],
  accounts_told: ["Each has a library of their own that nobody else can read, you neither.", "每人有各自的作品库，其他人无法查看，管理员也不能。"],
  add: ["Add", "添加"],
  add_collection: ["Add a collection", "添加素材集"],
  administrator: ["administrator", "管理员"],
  ahead: ["{n} ahead in the queue", "前面还有 {n} 个任务"],
  all: ["All", "全部"],
  all_genres: ["All kinds", "全部体裁"],
  api_reference: ["Every call of the interface", "全部接口说明"],
  appearance: ["Appearance", "外观"],
  at_most_jobs_a_day: ["at most {n} jobs a day", "每日最多 {n} 个任务"],
  at_most_works: ["at most {n} works", "最多 {n} 件作品"],
  attach_again: ["These files are not kept with the work; attach them again: {names}.", "以下文件未随作品保存，请重新添加：{names}。"],
  audit: ["What was done with accounts and keys", "账户与密钥操作记录"],
  audit_told: ["What people make is not in it.", "不含任何创作内容。"],
  automatic: ["automatic", "自动"],
  available: ["To fetch", "可获取"],
  board_name: ["Name of a board", "画板名称"],
  boards: ["Boards", "画板"],
  brief: ["Brief", "要求"],
  brief_hint: ["What it is to be about, in your own words.", "用自己的话说明写什么、画什么。"],
  brief_music: ["A quiet waltz for a winter evening", "冬夜里一首安静的圆舞曲"],
  brief_picture: ["A red fox", "一只红色的狐狸"],
  brief_text: ["First snow over the harbour", "初雪落在港口"],
  broken_room: ["Something went wrong here", "此页面出错"],
  cancel: ["Cancel", "取消"],
  change_password: ["Change the password", "修改密码"],
  chat_placeholder: ["Ask for anything; Enter sends it", "输入内容，回车发送"],
  chat_starters: ["For example:", "例如："],
  chat_told: ["Each sentence is checked before it is shown; each reply is marked and kept in your library.", "每句话先检查再显示；每条回复都带标识，并存入作品库。"],
  check_marks: ["Check its marks", "验证标识"],
  checking: ["Every layer is being checked …", "正在逐层检查……"],
  children: ["made from it:", "由它衍生："],
  choose_second: ["Choose a second work to compare.", "请再选一件作品进行比较。"],
  choose_to_compare: ["Choose to compare: {title}", "选择比较：{title}"],
  clear: ["Clear", "清除"],
  close: ["Close", "关闭"],
  collection_chorale: ["Chorales (scores)", "四部合唱（乐谱）"],
  collection_picture: ["Pictures", "图片"],
  collection_tune: ["Tunes (scores)", "曲调（乐谱）"],
  collections_told: ["Pictures or scores that models learn from, with their owner and licence. They lie encrypted, for you alone.", "供模型学习的图片或乐谱，注明所有者与许可；加密保存，仅您可见。"],
  command_line: ["On the command line:", "命令行："],
  compare: ["Compare", "比较"],
  copied: ["Copied", "已复制"],
  copy: ["Copy", "复制"],
  create_n: ["Create {n} variations", "创作 {n} 个版本"],
  create_one: ["Create", "创作"],
  create_title: ["What would you like to make?", "想创作什么？"],
  create_told: ["Every work keeps its form, is checked against its rules, and says that a machine made it.", "每件作品都合其体裁、经规则检查，并标明由人工智能生成。"],
  created: ["Made", "创作时间"],
  delete: ["Delete", "删除"],
  delete_account: ["Delete the account", "删除账户"],
  delete_account_told: ["{name} and all their works will be gone for good.", "{name} 及其全部作品将被永久删除。"],
  delete_collection_told: ["What it holds will be gone for good; models that learned from it stay.", "其中的内容将被永久删除；已由它训练的模型不受影响。"],
  delete_named: ["Delete {name}", "删除 {name}"],
  delete_title: ["Delete this work?", "删除这件作品？"],
  delete_told: ["“{title}” will be gone for good, with its ratings and what is known of its files.", "《{title}》及其评分、文件记录将被永久删除。"],
  digest: ["digest", "摘要"],
  download_as: ["Download as {face}", "下载 {face} 文件"],
  drop_any: ["Drop a file here, or choose one", "拖放文件到此处，或点击选择"],
  drop_collection: ["Drop files or a .zip here, or choose them", "拖放文件或 .zip，或点击选择"],
  drop_picture: ["Drop a picture, or choose one", "拖放图片，或点击选择"],
  drop_score: ["Drop a score or a recording, or choose one", "拖放乐谱或录音，或点击选择"],
  drop_sidecar: ["A signature that lies beside the file (.c2pa) can be dropped together with it.", "如有单独的签名文件（.c2pa），可一并拖入。"],
  dropped_n: ["{n} were left out", "未采用 {n} 件"],
  files: ["Files", "文件"],
  files_n: ["{n} files", "{n} 个文件"],
  first_account: ["The first account", "第一个账户"],
  first_account_hint: ["It becomes the administrator of this studio.", "它将成为本工作室的管理员。"],
  fit: ["fit", "适合窗口"],
  fits: ["fits this machine", "本机可运行"],
  fits_not: ["too large for this machine", "超出本机能力"],
  fix_seed: ["use it", "固定"],
  found_n: ["{n} found", "找到 {n} 个"],
  from_library: ["From the library …", "从作品库选择……"],
  genre: ["Kind", "体裁"],
  go_on: ["Go on", "继续"],
  have_account: ["I have an account", "已有账户"],
  have_invitation: ["I have an invitation", "我有邀请码"],
  id: ["id", "编号"],
  in_library: ["It is a work of your library.", "这是您作品库中的作品。"],
  in_the_making: ["in the making", "创作中"],
  installed: ["Installed", "已安装"],
  invitation: ["Invitation", "邀请"],
  invitation_told: ["Whoever opens this address within a week can make one account.", "一周内打开此网址的人可创建一个账户。"],
  invite: ["Invite somebody", "邀请成员"],
  jobs: ["What is being made", "进行中的创作"],
  is_installed: ["installed", "已安装"],
  join: ["Make an account", "创建账户"],
  keep_it: ["Keep it", "保留"],
  key_made: ["Your new key", "新密钥"],
  key_name: ["What the key is for", "密钥用途"],
  keys: ["Keys for programs", "程序密钥"],
  keys_told: ["A key opens your library as your password does. Give each program one of its own.", "密钥与密码一样能打开作品库；请为每个程序单独创建。"],
  kind: ["Kind", "类别"],
  kind_music: ["Music", "音乐"],
  kind_picture: ["Pictures", "图片"],
  kind_text: ["Words", "文字"],
  language: ["Language", "语言"],
  language_en: ["English", "英文"],
  language_zh: ["Chinese", "中文"],
  layer_absent: ["absent", "无"],
  layer_broken: ["broken", "有误"],
  layer_c2pa: ["C2PA signature", "C2PA 签名"],
  "layer_can't tell": ["can’t tell", "无法判断"],
  layer_implicit: ["Implicit label", "隐式标识"],
  layer_label: ["Visible label", "显式标识"],
  layer_library: ["Library", "作品库"],
  layer_present: ["present", "有"],
  layer_record: ["Record", "记录"],
  layer_source: ["Source type", "来源类型"],
  layer_trusted: ["trusted", "可信"],
  layer_valid: ["valid", "有效"],
  layer_watermark: ["Watermark", "水印"],
  lead: ["A studio of your own for verse, prose, pictures and music.", "属于您自己的诗文、图片与音乐工作室。"],
  let_in: ["Let in again", "恢复"],
  library_empty: ["Nothing here yet", "这里还没有作品"],
  library_empty_told: ["What you make is kept here, encrypted, for you alone.", "您的作品会加密保存在这里，仅您可见。"],
  licence: ["Licence", "许可"],
  limits: ["Limits", "限额"],
  limits_of: ["Limits of {name}", "{name} 的限额"],
  limits_told: ["Empty: as much as there is room for.", "留空：不设限额。"],
  lineage: ["Lineage", "来源与衍生"],
  loading: ["Loading …", "加载中……"],
  log_in: ["Log in", "登录"],
  log_out: ["Log out", "退出"],
  made_at: ["made {when}", "创建于 {when}"],
  make_account: ["Make the account", "创建账户"],
  make_key: ["Make a key", "创建密钥"],
  marked: ["Marked: {label}", "已标识：{label}"],
  marks: ["Marks", "标识"],
  model: ["Model", "模型"],
  models_told: ["What makes the works. Models run on this machine; they are fetched once and checked.", "作品由它们生成。模型在本机运行，只获取一次并经校验。"],
  more: ["More", "更多"],
  more_settings: ["More settings ({n})", "更多设置（{n}）"],
  most_bytes: ["Megabytes on the disk", "占用空间（MB）"],
  most_jobs_a_day: ["Jobs a day", "每日任务数"],
  most_works: ["Works", "作品数"],
  name: ["Name", "名称"],
  name_told: ["Letters, digits, - and _", "字母、数字、- 和 _"],
  new_chat: ["New conversation", "新对话"],
  next_step: ["Next:", "建议："],
  no_collections: ["No collections yet", "还没有素材集"],
  no_collections_told: ["Add files that models may learn from; say whose they are.", "添加可供模型学习的文件，并注明所有者。"],
  no_files: ["There are no files yet. Drop or choose some.", "还没有文件，请拖放或选择。"],
  no_genre: ["No kind of work is called so. Try another word.", "没有匹配的体裁，请换个词。"],
  no_keys: ["No keys yet.", "还没有密钥。"],
  no_room: ["There is no such room", "没有这个页面"],
  none: ["none", "无"],
  nothing_found: ["Nothing found", "没有找到"],
  nothing_found_told: ["Try fewer words, or another filter.", "请减少关键词，或更换筛选条件。"],
  off_board: ["Take off the board {name}", "从画板 {name} 移除"],
  one_a_line: ["one a line", "每行一条"],
  open_work: ["Open: {title}", "打开：{title}"],
  owner: ["Owner", "所有者"],
  parents: ["made from:", "来源："],
  password: ["Password", "密码"],
  password_hint: ["At least 10 characters, such as a few words in a row. It encrypts your library.", "至少 10 个字符，例如几个连续的词语；它用于加密作品库。"],
  password_new: ["New password", "新密码"],
  password_now: ["Password until now", "当前密码"],
  picture_told: ["a picture to write about", "据此创作的图片"],
  pieces_n: ["{n} pieces", "{n} 件"],
  play: ["Play", "播放"],
  preview: ["Preview: not checked yet", "预览：尚未检查"],
  programs: ["For programs", "供程序使用"],
  progress: ["Progress", "进度"],
  provider: ["provider", "提供者"],
  pull: ["Fetch", "获取"],
  pull_model: ["Fetch {name}", "获取 {name}"],
  put_away: ["Put away", "收起"],
  put_there: ["Put there", "放入"],
  quota_bytes: ["on the disk", "占用空间"],
  quota_jobs_a_day: ["jobs today", "今日任务"],
  quota_works: ["works", "作品"],
  rating: ["Rating", "评分"],
  rating_n: ["{n} of 5", "{n} 分（满分 5）"],
  record: ["Record", "记录"],
  recovery_code: ["Recovery code", "恢复码"],
  recovery_kept: ["I have put it in a safe place", "我已妥善保存"],
  recovery_title: ["Keep this code", "请保存恢复码"],
  recovery_told: ["It is shown this once; should you forget your password, type it in place of that. Without both nobody can open your library any more, the administrator neither.", "恢复码只显示这一次；忘记密码时可用它代替密码登录。若密码与恢复码都丢失，任何人（包括管理员）都无法再打开作品库。"],
  refused_draft: ["Refused: it broke a rule", "未通过：不合规则"],
  remove_file: ["Remove {name}", "移除 {name}"],
  reply_refused: ["The reply ended here: what followed broke a rule.", "回复到此结束：后续内容不合规则。"],
  reply_stopped: ["Stopped here; it is not kept.", "回复在此停止，未保存。"],
  required: ["(required)", "（必填）"],
  results: ["What was made", "创作结果"],
  results_here: ["What you make appears here.", "作品将显示在这里。"],
  retry: ["Try again", "重试"],
  revoke: ["Revoke", "吊销"],
  revoke_key: ["Revoke the key {name}", "吊销密钥 {name}"],
  role_assistant: ["Castalia:", "Castalia："],
  role_user: ["You:", "您："],
  room_chat: ["Chat", "对话"],
  room_collections: ["Collections", "素材集"],
  room_create: ["Create", "创作"],
  room_library: ["Library", "作品库"],
  room_models: ["Models", "模型"],
  room_settings: ["Settings", "设置"],
  room_verify: ["Verify", "验证"],
  rooms: ["Rooms", "页面"],
  rule_no: ["broken:", "违反："],
  rule_note: ["note:", "提示："],
  rule_yes: ["kept:", "符合："],
  rules: ["Rules", "规则"],
  rules_broken: ["{n} broken", "{n} 条违反"],
  rules_kept: ["{n} rules kept", "{n} 条符合"],
  rules_noted: ["{n} to note", "{n} 条提示"],
  save: ["Save", "保存"],
  save_as_file: ["Save as a file", "保存为文件"],
  scope_read: ["see works", "查看作品"],
  scope_write: ["make and delete works", "创作和删除作品"],
  score_of: ["Score of {title}", "{title} 的乐谱"],
  search: ["Search", "搜索"],
  search_genres: ["Search all kinds of works", "搜索体裁"],
  search_models: ["Search models", "搜索模型"],
  seconds_left: ["about {n} s left", "约剩 {n} 秒"],
  seed: ["Seed", "种子"],
  seed_drawn: ["drawn", "随机"],
  send: ["Send", "发送"],
  session_ended: ["Your session has ended. Log in again; your works are where they were.", "会话已结束，请重新登录；您的作品都在。"],
  show_more: ["Show more", "显示更多"],
  shown_once: ["It is shown this once.", "只显示这一次。"],
  shut_out: ["shut out", "已停用"],
  shut_out_do: ["Shut out", "停用"],
  skip: ["Skip to the content", "跳到内容"],
  sounding: ["The sound is being made …", "正在生成声音……"],
  space: ["Your space", "我的空间"],
  star: ["Star", "收藏"],
  starred: ["Starred", "已收藏"],
  start_here: ["Start here", "从这里开始"],
  starter_1: ["Write a short toast for my grandmother's eightieth birthday.", "为奶奶八十大寿写一段简短的祝词。"],
  starter_2: ["Explain to a child why the sea is salty.", "给孩子讲讲海水为什么是咸的。"],
  starter_3: ["Give me three quiet titles for a book about rivers.", "给一本写河流的书起三个安静的书名。"],
  state_cancelled: ["cancelled", "已取消"],
  state_done: ["done", "完成"],
  state_failed: ["failed", "失败"],
  state_refused: ["refused", "未通过"],
  state_running: ["being made", "创作中"],
  state_waiting: ["waiting", "排队中"],
  stop: ["Stop", "停止"],
  theme: ["Colours", "配色"],
  theme_auto: ["as the system", "跟随系统"],
  theme_dark: ["dark", "深色"],
  theme_light: ["light", "浅色"],
  tries: ["Tries", "尝试次数"],
  try_again: ["Try again", "重试"],
  two_chosen: ["Two works are chosen.", "已选两件作品。"],
  unreachable: ["The server does not answer.", "服务器没有响应。"],
  unreachable_hint: ["See whether it runs, then try again.", "请确认服务器正在运行，然后重试。"],
  use_again: ["Use these settings again", "再次使用这些设置"],
  used_at: ["used {when}", "使用于 {when}"],
  usual_model: ["usual model", "默认模型"],
  variations: ["Variations", "版本数"],
  vary_music: ["Vary it", "写变奏"],
  vary_picture: ["Vary it", "画变体"],
  verify_title: ["Who made this file?", "这个文件由谁生成？"],
  verify_told: ["Labels, signature and watermark of any file are read on this server and nowhere else.", "文件的标签、签名和水印只在本服务器上读取。"],
  wait: ["One moment …", "请稍候……"],
  waits_for_owner: ["waits until you are back", "等待您返回"],
  wanted: ["(wanted: {what})", "（应为：{what}）"],
  wants_file: ["{name} is missing. Drop or choose a file.", "缺少{name}，请拖放或选择文件。"],
  watermark: ["watermark", "水印"],
  words_or_notes: ["Words or notes", "歌词或音符"],
  works_n: ["{n} works, encrypted, for you alone", "共 {n} 件作品，加密保存，仅您可见"],
  your_turn: ["Your message", "您的消息"],
  zoom: ["Zoom", "缩放"],
};

/** Chinese names of fields that many genres share; others are named by the beginning of their description. */
const FIELDS = {
  amount: "幅度", audience: "读者", author: "作者", bars: "小节数", facts: "事实", forbidden: "禁用词", key: "调", keywords: "关键词",
  factor: "倍数", kind: "类型", language: "语言", layout: "版式", length: "长度", lines: "行数", mask: "蒙版", melody: "旋律", metre: "拍号", picture: "图片", pictures: "图片",
  platform: "平台", proportion: "比例", size: "边长（像素）", sound: "音色", style: "风格", tempo: "速度", texture: "织体", title: "标题", tone: "情调", with_title: "题目",
};

/** Chinese names of what can be chosen; what is not here (4/4, 2) says itself. */
const CHOICES = {
  accordion: "手风琴", air: "歌调", album: "专辑", band: "乐队", bass: "低音", block: "色块", book: "书", brass: "铜管", chords: "和弦",
  choir: "合唱", clarinet: "单簧管", drawing: "绘画", fast: "快速", flute: "长笛", full: "满版", guitar: "吉他", hornpipe: "角笛舞曲",
  icon: "图标", jig: "吉格", march: "进行曲", "music box": "八音盒", no: "否", none: "无", organ: "管风琴", photo: "照片", piano: "钢琴",
  pingshui: "平水韵", polka: "波尔卡", post: "文章", poster: "海报", reel: "里尔", "slip jig": "滑步吉格", sticker: "贴纸", story: "竖屏",
  strathspey: "斯特拉斯佩", strings: "弦乐", strong: "强烈", subtle: "细微", violin: "小提琴", voice: "人声", waltz: "圆舞曲",
  whistle: "哨笛", xinyun: "中华新韵", yes: "是",
};

/** Chinese names of what is noted of accounts. */
const EVENTS = {
  "account disabled": "停用账户", "account enabled": "恢复账户", "account made": "创建账户", "account removed": "删除账户",
  "invitation made": "创建邀请", "key made": "创建密钥", "key revoked": "吊销密钥", login: "登录", "login failed": "登录失败",
  "login held off": "登录暂缓", "model pulled": "获取模型", "model removed": "删除模型", "password changed": "修改密码",
  "quota changed": "修改限额", "sign-up refused": "注册被拒",
};

/** Chinese names of rules; a stranger's genre may have others. */
const RULES = {
  adhesion: "粘对", agreement: "图文相符", "bare-notes": "空缺的音", bars: "小节", bass: "低音", "below-melody": "低于旋律",
  blank: "空白", breath: "换气", "broken-word": "断词", cadence: "终止", "call-to-action": "行动号召", characters: "字数",
  chatter: "套话", "chord-fit": "和弦相合", chords: "和弦", claims: "承诺", compass: "音域", contrast: "对比度", count: "数量",
  crossing: "声部交叉", distinct: "互不相同", "each-shown": "逐一呈现", ending: "结尾", "even-sizes": "大小一致", "facts-used": "事实采用",
  forbidden: "禁用词", grounded: "有据", headline: "标题", "instrument-range": "乐器音域", "kept-notes": "保留的音",
  keywords: "关键词", language: "语言", "last-note": "末音", layout: "构图", lead: "导语", "leading-note": "导音", leaps: "跳进",
  lede: "导语", length: "长度", limits: "字数限制", "line-length": "行长", lines: "行数", "low-detail": "细节",
  "melodic-leaps": "旋律跳进", "melody-end": "旋律结尾", "melody-key": "旋律调性", "melody-range": "旋律音域", metre: "格律",
  "music-originality": "音乐原创", "near-copy": "近似复制", "oblique-ending": "句脚平仄", originality: "原创", overlap: "声部重叠",
  parallel: "平行", parallels: "平行五八度", "personal-data": "个人信息", "phrase-ends": "乐句结尾", picture: "图片说明", placed: "位置",
  punctuation: "标点", range: "音域", readability: "可读性", "reduced-again": "缩小还原", repainted: "重绘",
  "repeated-character": "重字", "repeated-line": "重复行", "repeated-rhyme": "重韵", "repeated-sentence": "重复句",
  "resting-notes": "长音", rhyme: "押韵", "rhyme-word-repeated": "韵字重复", safety: "安全", saturated: "过饱和", seam: "接缝",
  sentences: "句子", spacing: "间距", sung: "可唱", syllables: "音节", tones: "平仄", transposed: "移调",
  "tune-originality": "曲调原创", "tune-variety": "曲调变化", twins: "雷同", "unsupported-claim": "无据的说法",
  "unsupported-event": "无据的事件", "unsupported-facts": "无据的事实", "unsupported-number": "无据的数字", variety: "变化",
  watermark: "水印", "word-stress": "词重音", words: "词语", written: "已写成",
};

const LANGUAGE = "castalia.language";
const THEME = "castalia.theme";

export const language = signal(localStorage.getItem(LANGUAGE) ?? (navigator.languages.find((each) => /^(en|zh)/i.test(each)) ?? "en").slice(0, 2).toLowerCase());
export const theme = signal(localStorage.getItem(THEME) ?? "auto");
document.documentElement.dataset.theme = theme.value;

export function setLanguage(code) {
  localStorage.setItem(LANGUAGE, code);
  language.value = code;
}

export function setTheme(name) {
  localStorage.setItem(THEME, name);
  document.documentElement.dataset.theme = name;
  theme.value = name;
}

const side = () => (language.value === "zh" ? 1 : 0);

/** The words of that name, with values in braces filled in. */
export function t(name, values = {}) {
  const words = WORDS[name]?.[side()];
  if (words === undefined) throw new Error(`no words are called ${name}`);
  return words.replace(/\{(\w+)\}/g, (_, each) => String(values[each]));
}

/** The part of a field's description that is in the language shown; both stand in it, separated by a bar. */
export const help = (description) => description.split(" | ")[side()] ?? description;

/** What a field is called. */
export function label(name, description = "") {
  if (side()) return FIELDS[name] ?? help(description).split(/[，,；;：（(]/)[0].slice(0, 16);
  const words = name.replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

/** What one of the values is called that a field may have. */
export const choice = (value) => (side() && CHOICES[value]) || String(value);

/** What somebody did, as it is noted. */
export const eventName = (event) => (side() && EVENTS[event]) || event;

/** What a rule is called. */
export const ruleName = (rule) => (side() && RULES[rule]) || rule.replaceAll("-", " ");

/** The day of such a time. */
export const day = (time) => when(time, { dateStyle: "medium" });

/** A time, in seconds or as ISO 8601, for people. */
export function when(time, style = { dateStyle: "medium", timeStyle: "short" }) {
  const date = new Date(typeof time === "number" ? time * 1000 : time);
  return new Intl.DateTimeFormat(language.value === "zh" ? "zh-CN" : "en-GB", style).format(date);
}
