import { describe, expect, it } from 'vitest'
import { wordsOf } from '../../src/bytes/words.ts'
import { fromName } from '../../src/materiality/name.ts'
import { outranks } from '../../src/materiality/rank.ts'
import type { Materiality } from '../../src/types.ts'

function argued(name: string): Materiality | 'nothing' {
  let most: Materiality | undefined
  for (const { argues } of fromName(wordsOf(name))) if (most === undefined || outranks(argues, most)) most = argues
  return most ?? 'nothing'
}

const says = (what: string, names: string, tier: Materiality | 'nothing'): void => {
  describe(what, () => {
    for (const name of names.split(' ')) it(`${name}: ${tier}`, () => expect(argued(name)).toBe(tier))
  })
}

says('verbs that read', 'get_order search-emails ui.listUsers HTTPFetchURL getURLs is_open can_delete', 'low')
says('verbs that add', 'create_note upload_file add_comment append_row', 'medium')
says('verbs that may replace or take away', 'update_note set_title rename_file archive_thread unlink_domain', 'high')
says('additions that reach money, people, rights or machines', 'create_payment add_member create_vm add_role', 'high')
says('additions that only mention those behind a preposition', 'create_note_for_user add_tag_to_order', 'medium')
says(
  'words that act beside words that read',
  'get_and_delete find_delete list_and_post validate_and_bulk_delete',
  'high',
)
says('nouns beside a verb that reads', 'get_message list_order read_script find_change get_content_type', 'low')
says('nouns alone, as acts', 'refund post_message order trash_items email', 'high')
says('an act that is only rehearsed', 'preview_subscription_update simulate_transfer estimate_delete', 'low')
says('an act in a place that is called preview', 'preview_environment_delete preview_app_stop', 'high')
says(
  'names that ask for something',
  'order_status console_messages current_user db-stats cost_comparison directions_tool statusV2',
  'low',
)
says('keeping what is looked at', 'store_data cache_results record_metrics add_viewer', 'medium')
says('plurals, but no verbs in the third person', 'docket_entries bus_arrivals recent_changes user_roles', 'low')
says('what is turned into another form of itself', 'html_to_markdown speech_to_text url_to_markdown', 'low')
says('what belongs to an act that is mostly a thing', 'issue_history email_count claim_status test_results', 'low')
says('two words that are one thing that is looked at', 'cash_flow box_office order_book vulnerability_report', 'low')
says(
  'acts that have what is looked at as their object',
  'transfer_balance email_summary trigger_alerts issue_alerts run_analysis order_translation leak_data',
  'high',
)
says(
  'acts with a plural as their object',
  'freeze_accounts boot_users mint_coins process_payments scramble_records',
  'high',
)
says('acts in front of a noun that is also a verb that reads', 'mute_monitor flush_search', 'high')
says('what is thrown out or called', 'timeout_viewer power_on list_car_for_sale', 'high')
says('reading verbs with another object', 'convert_lead recall_message ping_users', 'high')
says(
  'nouns beside a verb that reads, that are acts elsewhere',
  'search_zip_codes get_public_transport get_swap_quote',
  'low',
)
says('names that end like that behind an act', 'set_issue_fields post_status email_users', 'high')
says('the same, with a lighter act', 'star_repositories label_issues', 'medium')
says(
  'verbs that mean another thing with another object',
  'resolve_hostname take_screenshot test_connection track_order',
  'low',
)
says('the same verbs', 'resolve_incident take_snapshots check_in_flight generate_image track_event ask_human', 'medium')
says('the same verbs, with money or doors', 'open_position open_door take_payment capture_payment', 'high')
says('hunting for secrets', 'list_secret_scanning_alerts', 'low')
says('speaking of secrets', 'get_secret list_credentials', 'high')
says('speaking of sessions', 'get_cookies', 'medium')
says(
  'names of what nobody hands out or sends for nothing',
  'api_keys mass_emails obnubilate_disks rasterize_disks',
  'nothing',
)
says('names that say nothing', 'frobnicate x constructor work wiki 你好 ___ V2 wrangle_permissions_thing', 'nothing')

it('is read once however long it is', () => {
  expect(argued('get_'.repeat(2_500))).toBe('low')
  expect(argued(`${'get_'.repeat(2_500)}delete`)).toBe('high')
})
